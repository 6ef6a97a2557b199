//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package fileio

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock makes one attempt. On these systems flock(2) locks exclude the
// fcntl(2) locks that MIT takes.
func tryLock(f *os.File, exclusive bool) error {
	how := unix.LOCK_SH
	if exclusive {
		how = unix.LOCK_EX
	}
	for {
		err := unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EWOULDBLOCK):
			return errWouldBlock
		}
		return err
	}
}
