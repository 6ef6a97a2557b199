//go:build !unix

package rcache

import (
	"errors"
	"os"
)

// openOwn refuses: there is nobody to share the file with, and no way to tell
// whose it is.
func openOwn(string) (*os.File, error) {
	return nil, errors.New("replay caches in files are for Unix")
}
