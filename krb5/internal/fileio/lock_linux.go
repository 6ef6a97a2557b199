package fileio

import (
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock makes one attempt at a lock of the open file description. flock(2)
// and fcntl(2) locks do not exclude each other on Linux, so flock is for what
// cannot do better: kernels before 3.15 and some emulations of Linux, which say
// EINVAL.
func tryLock(f *os.File, exclusive bool) error {
	typ, how := int16(unix.F_RDLCK), unix.LOCK_SH
	if exclusive {
		typ, how = unix.F_WRLCK, unix.LOCK_EX
	}
	for {
		// Start 0 and Len 0 are the whole file.
		lock := unix.Flock_t{Type: typ, Whence: io.SeekStart}
		err := unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &lock)
		if errors.Is(err, unix.EINVAL) {
			err = unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
		}
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EACCES):
			return errWouldBlock
		}
		return err
	}
}
