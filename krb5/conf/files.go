package conf

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// Default returns the files that make up the configuration of this machine: the
// list in KRB5_CONFIG, separated by ":" (";" on Windows), else MIT's places. A
// nil getenv is an empty environment.
func Default(getenv func(string) string) []string {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	if list := getenv("KRB5_CONFIG"); list != "" {
		var paths []string
		for p := range strings.SplitSeq(list, string(os.PathListSeparator)) {
			if p != "" {
				paths = append(paths, p)
			}
		}
		return paths
	}
	if runtime.GOOS != "windows" {
		return []string{"/etc/krb5.conf", "/usr/local/etc/krb5.conf"}
	}
	var paths []string
	if dir := getenv("ProgramData"); dir != "" {
		paths = append(paths, filepath.Join(dir, "MIT", "Kerberos5", "krb5.ini"))
	}
	if dir := getenv("windir"); dir != "" {
		paths = append(paths, filepath.Join(dir, "krb5.ini"))
	}
	return paths
}
