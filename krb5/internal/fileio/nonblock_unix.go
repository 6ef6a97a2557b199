//go:build unix

package fileio

import "golang.org/x/sys/unix"

// NonBlock is for opening what somebody else may have put in the place of a file
// after we have looked: to open a pipe would keep us, and a thread, waiting. For
// files it means nothing.
const NonBlock = unix.O_NONBLOCK
