package rcache

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// None is the Cache that remembers nothing: every authenticator is fresh.
type None struct{}

// Add implements [Cache].
func (None) Add(context.Context, []byte, time.Time, time.Time) (bool, error) { return true, nil }

// Resolve returns the cache with a name as MIT writes it: "file2:path", "dfl:"
// for the file of this user in the folder for temporary files, "none:". A name
// without a colon is RCParse, another type RCTypeNotFound. A nil getenv is an
// empty environment.
func Resolve(name string, skew time.Duration, getenv func(string) string) (Cache, error) {
	kind, path, ok := strings.Cut(name, ":")
	switch {
	case !ok:
		return nil, fmt.Errorf("%w: %q", krberr.RCParse, name)
	case kind == "none":
		return None{}, nil
	case kind == "file2" && path != "":
		return NewFile(path, skew), nil
	case kind == "dfl":
		return NewFile(defaultPath(getenv), skew), nil
	}
	return nil, fmt.Errorf("%w: %q (file2, dfl and none are known)", krberr.RCTypeNotFound, name)
}

func defaultPath(getenv func(string) string) string {
	dir := "/var/tmp"
	for _, key := range []string{"TMPDIR", "KRB5RCACHEDIR"} {
		if getenv != nil && getenv(key) != "" {
			dir = getenv(key)
		}
	}
	return filepath.Join(dir, fmt.Sprintf("krb5_%d.rcache2", os.Geteuid()))
}
