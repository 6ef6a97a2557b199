package rcache

import (
	"context"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const skew = 5 * time.Minute

// SipHash's own test vectors: key 00 01 … 0f, input 00 01 … of growing length.
func TestSipHash(t *testing.T) {
	var key [16]byte
	in := make([]byte, 64)
	for i := range key {
		key[i] = byte(i)
	}
	for i := range in {
		in[i] = byte(i)
	}
	for n, want := range map[int]uint64{
		0:  0x726fdb47dd0e0e31,
		1:  0x74f839c593dc67fd,
		8:  0x93f5f5799a932462,
		15: 0xa129ca6149be45e5,
		63: 0x958a324ceb064572,
	} {
		require.Equal(t, want, sipHash(&key, in[:n]), n)
	}
}

func add(t *testing.T, c Cache, tag string, at time.Time) bool {
	t.Helper()
	fresh, err := c.Add(ctx, []byte(tag), at, at.Add(skew))
	require.NoError(t, err)
	return fresh
}

func TestFileAdd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	c := NewFile(path, skew)
	require.True(t, add(t, c, "0123456789abcdef", noon))
	require.False(t, add(t, c, "0123456789abcdef", noon))
	require.False(t, add(t, c, "0123456789abefcd", noon), "only the first twelve bytes count")
	require.True(t, add(t, c, "0123456789a", noon))
	require.False(t, add(t, NewFile(path, skew), "0123456789a", noon.Add(time.Hour)), "a record counts until it is overwritten")
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())
}

// The records are where MIT looks for them, with the time from which it reckons.
func TestFileLayout(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	c := NewFile(path, skew)
	_, err := c.Add(ctx, []byte("0123456789ab"), noon, noon.Add(skew+time.Minute)) // from a clock that is ahead
	require.NoError(t, err)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	seed := (*[seedSize]byte)(b)
	at := seedSize + int(sipHash(seed, []byte("0123456789ab"))%1023)*recordSize
	require.Equal(t, "0123456789ab", string(b[at:at+fileTag]))
	require.EqualValues(t, noon.Add(time.Minute).Unix(), binary.BigEndian.Uint32(b[at+fileTag:]))
}

// Thousands of live records fill several tables; none is forgotten.
func TestFileGrows(t *testing.T) {
	c := NewFile(filepath.Join(t.TempDir(), "rc"), skew)
	for i := range 6000 {
		fresh, err := c.Add(ctx, tag(i), noon, noon.Add(skew))
		require.NoError(t, err)
		require.True(t, fresh, i)
	}
	for i := range 6000 {
		fresh, err := c.Add(ctx, tag(i), noon, noon.Add(skew))
		require.NoError(t, err)
		require.False(t, fresh, i)
	}
}

// What has expired makes room: the file does not grow for ever.
func TestFileReuses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	c := NewFile(path, skew)
	for i := range 20_000 {
		at := noon.Add(time.Duration(i) * time.Minute)
		_, err := c.Add(ctx, tag(i), at, at.Add(skew))
		require.NoError(t, err)
	}
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.LessOrEqual(t, info.Size(), int64(1<<20))
}

func TestFileConcurrent(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	var fresh atomic.Int32
	var wg sync.WaitGroup
	for range 4 {
		c := NewFile(path, skew)
		wg.Go(func() {
			for i := range 200 {
				ok, err := c.Add(ctx, tag(i), noon, noon.Add(skew))
				if err == nil && ok {
					fresh.Add(1)
				}
			}
		})
	}
	wg.Wait()
	require.EqualValues(t, 200, fresh.Load())
}

func TestFileFailsClosed(t *testing.T) {
	dir := t.TempDir()
	refuse := func(t *testing.T, ctx context.Context, path string) error {
		fresh, err := NewFile(path, skew).Add(ctx, []byte("tag"), noon, noon.Add(skew))
		require.ErrorIs(t, err, krberr.RCIO)
		require.False(t, fresh)
		return err
	}
	t.Run("damaged", func(t *testing.T) {
		path := filepath.Join(dir, "short")
		require.NoError(t, os.WriteFile(path, []byte("seed"), 0o600))
		refuse(t, ctx, path)
	})
	t.Run("a link", func(t *testing.T) {
		path := filepath.Join(dir, "link")
		require.NoError(t, os.Symlink(filepath.Join(dir, "target"), path))
		refuse(t, ctx, path)
	})
	t.Run("a folder", func(t *testing.T) { refuse(t, ctx, dir) })
	t.Run("somebody else's", func(t *testing.T) {
		if os.Geteuid() != 0 {
			t.Skip("only root can give files away")
		}
		path := filepath.Join(dir, "theirs")
		require.NoError(t, os.WriteFile(path, nil, 0o600))
		require.NoError(t, os.Chown(path, 12345, 12345))
		refuse(t, ctx, path)
	})
	t.Run("locked by another", func(t *testing.T) {
		path := filepath.Join(dir, "locked")
		f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		require.NoError(t, err)
		defer f.Close()
		require.NoError(t, fileio.Lock(ctx, f, true))
		soon, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
		defer cancel()
		require.ErrorIs(t, refuse(t, soon, path), context.DeadlineExceeded)
	})
	t.Run("year 2200", func(t *testing.T) {
		late := time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
		_, err := NewFile(filepath.Join(dir, "late"), skew).Add(ctx, []byte("tag"), late, late.Add(skew))
		require.ErrorIs(t, err, krberr.RCIO)
	})
}

// Two processes never both accept one authenticator.
func TestFileTwoProcesses(t *testing.T) {
	if path := os.Getenv("RCACHE_CHILD"); path != "" {
		c := NewFile(path, skew)
		n := 0
		for i := range 300 {
			if fresh, err := c.Add(ctx, tag(i), noon, noon.Add(skew)); err == nil && fresh {
				n++
			}
		}
		os.Stdout.WriteString(strings.Repeat("+", n))
		os.Exit(0)
	}
	path := filepath.Join(t.TempDir(), "rc")
	var outs [2]string
	var wg sync.WaitGroup
	for i := range outs {
		wg.Go(func() {
			cmd := exec.Command(os.Args[0], "-test.run=TestFileTwoProcesses$")
			cmd.Env = append(os.Environ(), "RCACHE_CHILD="+path)
			out, err := cmd.Output()
			if err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
			outs[i] = string(out)
		})
	}
	wg.Wait()
	require.Equal(t, 300, strings.Count(outs[0]+outs[1], "+"))
}

func TestResolve(t *testing.T) {
	getenv := func(k string) string { return map[string]string{"KRB5RCACHEDIR": "/rc", "TMPDIR": "/tmp/x"}[k] }
	for _, tc := range []struct {
		name string
		want Cache
		err  error
	}{
		{"none:", None{}, nil},
		{"file2:/some/where", NewFile("/some/where", skew), nil},
		{"file2:", nil, krberr.RCTypeNotFound},
		{"memory:x", nil, krberr.RCTypeNotFound},
		{"/some/where", nil, krberr.RCParse},
	} {
		got, err := Resolve(tc.name, skew, getenv)
		require.ErrorIs(t, err, tc.err, tc.name)
		require.Equal(t, tc.want, got, tc.name)
	}
	got, err := Resolve("dfl:", skew, getenv)
	require.NoError(t, err)
	require.Equal(t, "/rc", filepath.Dir(got.(*File).path))
	require.True(t, add(t, None{}, "tag", noon))
	require.True(t, add(t, None{}, "tag", noon))
}

// A hostile file never makes the cache panic, accept a replay or read beyond it.
func FuzzFile(f *testing.F) {
	f.Add([]byte{})
	f.Add(make([]byte, 40))
	f.Fuzz(func(t *testing.T, b []byte) {
		path := filepath.Join(t.TempDir(), "rc")
		require.NoError(t, os.WriteFile(path, b, 0o600))
		c := NewFile(path, skew)
		fresh, err := c.Add(ctx, []byte("0123456789ab"), noon, noon.Add(skew))
		again, err2 := c.Add(ctx, []byte("0123456789ab"), noon, noon.Add(skew))
		require.Equal(t, err == nil, err2 == nil)
		require.False(t, again)
		_ = fresh
	})
}

func BenchmarkFileAdd(b *testing.B) {
	c := NewFile(filepath.Join(b.TempDir(), "rc"), skew)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		at := noon.Add(time.Duration(i) * time.Second)
		if _, err := c.Add(ctx, tag(i), at, at.Add(skew)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// Where every table has a record, one that has expired gives way: a burst does
// not fill the file for good.
func TestFileFullOfExpired(t *testing.T) {
	path := filepath.Join(t.TempDir(), "rc")
	const tag = "0123456789ab"
	fill := func(at time.Time) {
		f, err := os.Create(path)
		require.NoError(t, err)
		var seed [seedSize]byte
		_, err = f.WriteAt(seed[:], 0)
		require.NoError(t, err)
		start, records := int64(seedSize), int64(1023)
		for range maxTables {
			place := start + int64(sipHash(&seed, []byte(tag))%uint64(records))*recordSize
			for i := range int64(2) {
				other := binary.BigEndian.AppendUint32([]byte("another's.tg"), uint32(at.Unix()))
				_, err = f.WriteAt(other, place+i*recordSize)
				require.NoError(t, err)
			}
			seed[0]++
			start += records * recordSize
			records = max(2*records, 2048)
		}
		require.NoError(t, f.Close())
	}
	fill(noon.Add(-time.Minute))
	_, err := NewFile(path, skew).Add(ctx, []byte(tag), noon, noon.Add(skew))
	require.ErrorIs(t, err, ErrFull)
	fill(noon.Add(-time.Hour))
	require.True(t, add(t, NewFile(path, skew), tag, noon))
	require.False(t, add(t, NewFile(path, skew), tag, noon))
}
