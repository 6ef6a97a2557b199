package fileio

import (
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	tests := []struct{ name, kind, rest string }{
		{"/a:b", "FILE", "/a:b"},
		{"a", "FILE", "a"},
		{"", "FILE", ""},
		{`C:\x`, "FILE", `C:\x`},
		{"FILE:/a:b", "FILE", "/a:b"},
		{"WRFILE:x", "WRFILE", "x"},
		{"KCM:", "KCM", ""},
		{":x", "", "x"},
		{"1:x", "1", "x"},
	}
	for _, tt := range tests {
		kind, rest := Split(tt.name)
		require.Equal(t, tt.kind, kind, tt.name)
		require.Equal(t, tt.rest, rest, tt.name)
	}
}

func TestReplace(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, text := range []string{"one", "two"} {
		require.NoError(t, Replace(path, []byte(text)))
		b, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	// A failure leaves nothing behind.
	require.NoError(t, os.Mkdir(filepath.Join(dir, "d"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "d", "x"), nil, 0o600))
	require.Error(t, Replace(filepath.Join(dir, "d"), []byte("x")))
	require.Error(t, Replace(filepath.Join(dir, "none", "f"), nil))
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 2)
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	_, err := Open(t.Context(), path, false)
	require.ErrorIs(t, err, fs.ErrNotExist)
	_, err = Open(t.Context(), dir, false)
	require.ErrorContains(t, err, "not a regular file")
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))

	f, err := Open(t.Context(), path, true)
	require.NoError(t, err)
	_, err = f.WriteString("!")
	require.NoError(t, err)
	b, err := Read(f, 5)
	require.NoError(t, err)
	require.Empty(t, b) // behind what was written
	require.NoError(t, f.Close())

	f, err = Open(t.Context(), path, false)
	require.NoError(t, err)
	b, err = Read(f, 5)
	require.NoError(t, err)
	require.Equal(t, "text!", string(b))
	require.NoError(t, f.Close())
	f, err = Open(t.Context(), path, false)
	require.NoError(t, err)
	_, err = Read(f, 4)
	require.ErrorContains(t, err, "larger than 4 bytes")
	require.NoError(t, f.Close())

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = Open(ctx, path, false)
	require.ErrorIs(t, err, context.Canceled)
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	one, err := Open(t.Context(), path, true)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if other, err := Open(ctx, path, false); err == nil {
		require.NoError(t, other.Close())
		require.NoError(t, one.Close())
		t.Skip("no file locks here")
	} else {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	// A file that is removed while we wait is gone.
	done := make(chan error, 1)
	go func() {
		_, err := Open(t.Context(), path, false)
		done <- err
	}()
	time.Sleep(5 * time.Millisecond)
	require.NoError(t, os.Remove(path))
	require.NoError(t, one.Close())
	require.ErrorIs(t, <-done, fs.ErrNotExist)
}

// Read, change and append under the lock loses no update.
func TestLockCounter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, nil, 0o600))
	var wg sync.WaitGroup
	errs := make(chan error, 200)
	for range 4 {
		wg.Go(func() {
			for range 25 {
				errs <- func() error {
					f, err := Open(context.Background(), path, true)
					if err != nil {
						return err
					}
					defer func() { _ = f.Close() }()
					b, err := Read(f, 1000)
					if err != nil {
						return err
					}
					_, err = f.Write([]byte{byte(len(b))})
					return err
				}()
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		require.NoError(t, err)
	}
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Len(t, b, 100)
	for i := range b {
		require.Equal(t, byte(i), b[i])
	}
}

func TestOpenUpdate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	_, err := OpenUpdate(t.Context(), path)
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, os.WriteFile(path, []byte("text"), 0o600))
	f, err := OpenUpdate(t.Context(), path)
	require.NoError(t, err)
	_, err = f.WriteAt([]byte("b"), 0)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if other, err := Open(ctx, path, false); err == nil { // where there are no locks
		require.NoError(t, other.Close())
	} else {
		require.ErrorIs(t, err, context.DeadlineExceeded)
	}
	require.NoError(t, f.Close())
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "bext", string(b))
}
