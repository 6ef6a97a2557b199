// Package fileio reads, locks and replaces the files that Kerberos programs
// share: keytabs and credential caches.
//
// Locks are MIT's: the whole file, shared to read and exclusive to write, by
// open file description, since a process's own POSIX locks would vanish when any
// descriptor of the file is closed.
package fileio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// How long to sleep between attempts to get a lock.
const (
	firstWait = time.Millisecond
	lastWait  = 50 * time.Millisecond
)

// errWouldBlock is tryLock's report that someone else has the lock.
var errWouldBlock = errors.New("file is locked")

// Lock locks f until it is closed, and waits for the lock while ctx lasts. An
// exclusive lock needs f to be open for writing. Where the system has no file
// locks it does nothing.
func Lock(ctx context.Context, f *os.File, exclusive bool) error {
	wait := firstWait
	for {
		err := tryLock(f, exclusive)
		if !errors.Is(err, errWouldBlock) {
			if err != nil {
				return fmt.Errorf("lock %s: %w", f.Name(), err)
			}
			return nil
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("lock %s: %w", f.Name(), context.Cause(ctx))
		case <-t.C:
		}
		wait = min(2*wait, lastWait)
	}
}

// Open opens a regular file and locks it: to append to it under an exclusive
// lock, else to read it under a shared one. The file that is returned is the
// one that stood at path when the lock was granted, not one that was replaced
// while we waited.
func Open(ctx context.Context, path string, write bool) (*os.File, error) {
	if write {
		return open(ctx, path, os.O_RDWR|os.O_APPEND, true)
	}
	return open(ctx, path, os.O_RDONLY, false)
}

// OpenUpdate is Open under an exclusive lock for a file that is written to
// anywhere.
func OpenUpdate(ctx context.Context, path string) (*os.File, error) {
	return open(ctx, path, os.O_RDWR, true)
}

func open(ctx context.Context, path string, flag int, exclusive bool) (*os.File, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		// Opening a pipe would keep us waiting.
		before, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if !before.Mode().IsRegular() {
			return nil, fmt.Errorf("%s: not a regular file", path)
		}
		f, err := os.OpenFile(path, flag|NonBlock, 0)
		if err != nil {
			return nil, err
		}
		current, err := lockCurrent(ctx, f, path, exclusive)
		if err != nil {
			_ = f.Close() // the first error says more
			return nil, err
		}
		if current {
			return f, nil
		}
		_ = f.Close() // nothing was written
	}
}

// lockCurrent locks f and reports whether it is still the file at path.
func lockCurrent(ctx context.Context, f *os.File, path string, exclusive bool) (bool, error) {
	if err := Lock(ctx, f, exclusive); err != nil {
		return false, err
	}
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	if !mine.Mode().IsRegular() { // any more
		return false, fmt.Errorf("%s: not a regular file", path)
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		// Removed meanwhile. Opening it again says so.
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return os.SameFile(mine, there), nil
}

// Read reads all of f, an error if that is more than limit bytes. The only copy
// of what is read is the one that is returned, so that the caller can clear it.
func Read(f *os.File, limit int) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, min(max(info.Size(), 0), int64(limit))+1)
	for len(b) <= limit {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), 2*cap(b))
			copy(grown, b)
			clear(b)
			b = grown
		}
		n, err := f.Read(b[len(b):cap(b)])
		b = b[:len(b)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if len(b) > limit {
		return nil, fmt.Errorf("%s: larger than %d bytes", f.Name(), limit)
	}
	return b, nil
}

// Replace makes b the content of path in one step: who reads sees the old file
// or the new one. Only the owner may read the file (mode 0600).
func Replace(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".krb5-*")
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil {
		// Or a crash could leave an empty file under the final name.
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the first error says more
	}
	return err
}

// Split takes a cache or keytab name apart as MIT does. A name without a prefix
// is a path, and so is one that starts with "/" or with a drive letter; its kind
// is then "FILE".
func Split(name string) (kind, rest string) {
	kind, rest, ok := strings.Cut(name, ":")
	letter := len(kind) == 1 && ('a' <= kind[0]|0x20 && kind[0]|0x20 <= 'z')
	if !ok || letter || strings.HasPrefix(name, "/") {
		return "FILE", name
	}
	return kind, rest
}
