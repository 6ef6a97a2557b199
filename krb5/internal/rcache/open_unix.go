//go:build unix

package rcache

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// openOwn opens a file of this user, or makes it. It does not follow a link,
// and a file of ours with a second name is refused: the folder is one that
// everybody may write to, and the other name may be that of any of our files.
func openOwn(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, err
	}
	var s unix.Stat_t
	if err = unix.Fstat(int(f.Fd()), &s); err == nil && (int(s.Uid) != os.Geteuid() || s.Mode&unix.S_IFMT != unix.S_IFREG || s.Nlink != 1) {
		err = errors.New(path + ": not a file of this user, or one with several names")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
