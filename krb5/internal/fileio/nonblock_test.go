//go:build unix

package fileio

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// Whoever puts a pipe where a file was when we looked gets an error out of us,
// and not a thread that waits for ever.
func TestOpenSwapped(t *testing.T) {
	dir := t.TempDir()
	file, pipe, path := filepath.Join(dir, "file"), filepath.Join(dir, "pipe"), filepath.Join(dir, "path")
	require.NoError(t, os.WriteFile(file, []byte("x"), 0o600))
	require.NoError(t, unix.Mkfifo(pipe, 0o600))
	require.NoError(t, os.Link(file, path))
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	opened := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() {
		next := filepath.Join(dir, "next")
		for i := 0; ctx.Err() == nil; i++ {
			from := []string{file, pipe}[i%2]
			if os.Link(from, next) != nil || os.Rename(next, path) != nil {
				return
			}
			_ = os.Remove(next) // renaming a file to itself does nothing
		}
	})
	go func() {
		defer close(opened)
		for ctx.Err() == nil {
			if f, err := Open(ctx, path, false); err == nil {
				info, err := f.Stat()
				if err != nil || !info.Mode().IsRegular() {
					t.Error("not a file:", info, err)
				}
				_ = f.Close()
			}
		}
	}()
	select {
	case <-opened:
	case <-time.After(10 * time.Second):
		w, err := os.OpenFile(pipe, os.O_RDWR, 0) // let it go
		require.NoError(t, err)
		_ = w.Close()
		t.Error("Open waits")
	}
	work.Wait()
}
