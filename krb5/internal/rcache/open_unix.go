//go:build unix

package rcache

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openOwn opens a file of this user, or makes it. It does not follow a link:
// the folder is one that everybody may write to.
func openOwn(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	var s unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &s); err == nil && (int(s.Uid) != os.Geteuid() || s.Mode&unix.S_IFMT != unix.S_IFREG) {
		err = errors.New(path + ": not a file of this user")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
