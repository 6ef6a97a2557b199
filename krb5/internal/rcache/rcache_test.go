package rcache

import (
	"context"
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var (
	ctx  = context.Background()
	noon = time.Unix(1_700_000_000, 0)
)

func TestMemoryAdd(t *testing.T) {
	long := make([]byte, 40)
	other := append([]byte(nil), long...)
	other[39] = 1
	for _, tc := range []struct {
		name          string
		first, second []byte
		later         time.Duration
		fresh         bool
	}{
		{"same tag", []byte("0123456789ab"), []byte("0123456789ab"), 0, false},
		{"same tag until the last second", []byte("0123456789ab"), []byte("0123456789ab"), 5 * time.Minute, false},
		{"same tag after it expired", []byte("0123456789ab"), []byte("0123456789ab"), 5*time.Minute + time.Second, true},
		{"another tag", []byte("0123456789ab"), []byte("0123456789ac"), 0, true},
		{"zero bytes are part of a tag", []byte("0123456789ab"), []byte("0123456789ab\x00"), 0, true},
		{"empty tag", nil, nil, 0, false},
		{"long tags are told apart", long, other, 0, true},
		{"long tag again", long, long, 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := NewMemory(0)
			fresh, err := c.Add(ctx, tc.first, noon, noon.Add(5*time.Minute))
			require.NoError(t, err)
			require.True(t, fresh)
			seen := noon.Add(tc.later)
			fresh, err = c.Add(ctx, tc.second, seen, seen.Add(5*time.Minute))
			require.NoError(t, err)
			require.Equal(t, tc.fresh, fresh)
		})
	}
}

func tag(n int) []byte {
	b := make([]byte, 12)
	binary.LittleEndian.PutUint64(b, uint64(n))
	return b
}

// A full cache refuses; it neither forgets a live entry nor grows.
func TestMemoryFull(t *testing.T) {
	c := NewMemory(64)
	var refused int
	for i := range 1000 {
		fresh, err := c.Add(ctx, tag(i), noon, noon.Add(time.Minute))
		if err != nil {
			require.ErrorIs(t, err, ErrFull)
			require.False(t, fresh)
			refused++
		}
	}
	require.Equal(t, 1000-64, refused)
	fresh, err := c.Add(ctx, tag(0), noon, noon.Add(time.Minute))
	require.NoError(t, err)
	require.False(t, fresh, "a full cache must still know what it holds")

	later := noon.Add(2 * time.Minute)
	for i := range 64 {
		fresh, err := c.Add(ctx, tag(i), later, later.Add(time.Minute))
		require.NoError(t, err)
		require.True(t, fresh)
	}
}

// What has expired does not stay in memory.
func TestMemorySweeps(t *testing.T) {
	c := NewMemory(0)
	for i := range 10_000 {
		at := noon.Add(time.Duration(i) * time.Second)
		_, err := c.Add(ctx, tag(i), at, at.Add(time.Second))
		require.NoError(t, err)
	}
	var n int
	for i := range c.shards {
		n += len(c.shards[i].until)
	}
	require.Less(t, n, 10_000/10)
}

// Of many copies sent at once, exactly one is fresh.
func TestMemoryConcurrent(t *testing.T) {
	c := NewMemory(0)
	for round := range 200 {
		var fresh atomic.Int32
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				if ok, err := c.Add(ctx, tag(round), noon, noon.Add(time.Minute)); ok && err == nil {
					fresh.Add(1)
				}
			})
		}
		wg.Wait()
		require.EqualValues(t, 1, fresh.Load())
	}
}

func TestProcessIsOne(t *testing.T) { require.Same(t, Process(), Process()) }

func BenchmarkMemoryAdd(b *testing.B) {
	c := NewMemory(0)
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		at := noon.Add(time.Duration(i) * time.Millisecond)
		if _, err := c.Add(ctx, tag(i), at, at.Add(5*time.Second)); err != nil {
			b.Fatal(err)
		}
		i++
	}
}
