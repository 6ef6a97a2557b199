package conf

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Expand replaces the parameters in a path of krb5.conf: %{uid}, %{USERID} and
// %{euid} (on Windows the SID), %{username}, %{TEMP} and %{null}. Parameters
// that name MIT's own installation, and unknown ones, are krberr
// ConfigBadFormat. A nil getenv is an empty environment.
func Expand(path string, getenv func(string) string) (string, error) {
	var b strings.Builder
	for {
		before, after, ok := strings.Cut(path, "%{")
		b.WriteString(before)
		if !ok {
			return b.String(), nil
		}
		name, rest, ok := strings.Cut(after, "}")
		if !ok {
			return "", fmt.Errorf("%w: parameter without a closing brace in a path", krberr.ConfigBadFormat)
		}
		value, err := parameter(name, getenv)
		if err != nil {
			return "", err
		}
		b.WriteString(value)
		path = rest
	}
}

func parameter(name string, getenv func(string) string) (string, error) {
	switch name {
	case "null":
		return "", nil
	case "uid", "USERID":
		return userID(os.Getuid())
	case "euid":
		return userID(os.Geteuid())
	case "username":
		u, err := user.LookupId(strconv.Itoa(os.Geteuid()))
		if err != nil {
			u, err = user.Current()
		}
		if err != nil {
			return "", fmt.Errorf("%w: %%{username}: %w", krberr.ConfigBadFormat, err)
		}
		return u.Username, nil
	case "TEMP":
		if getenv != nil {
			if dir := getenv("TMPDIR"); dir != "" {
				return dir, nil
			}
		}
		if os.PathSeparator == '/' {
			return "/tmp", nil
		}
		return os.TempDir(), nil
	}
	return "", fmt.Errorf("%w: unknown parameter %%{%.40s} in a path", krberr.ConfigBadFormat, name)
}

// userID returns the number, or where users have none, what they have instead.
func userID(id int) (string, error) {
	if id >= 0 {
		return strconv.Itoa(id), nil
	}
	u, err := user.Current()
	if err != nil {
		return "", fmt.Errorf("%w: %%{uid}: %w", krberr.ConfigBadFormat, err)
	}
	return u.Uid, nil
}
