//go:build unix

package krb5

import (
	"os"
	"strconv"
	"syscall"
)

// canOwn says that files have owners that can be looked up.
const canOwn = true

// ownedBy reports whether a file belongs to the user or to root.
func ownedBy(i os.FileInfo, uid string) bool {
	s, ok := i.Sys().(*syscall.Stat_t)
	return ok && (s.Uid == 0 || strconv.FormatUint(uint64(s.Uid), 10) == uid)
}
