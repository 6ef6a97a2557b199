package seq

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
)

const (
	ok    = gsserr.Major(0)
	dup   = gsserr.ErrDuplicateToken
	old   = gsserr.ErrOldToken
	unseq = gsserr.ErrUnseqToken
	gap   = gsserr.ErrGapToken
)

func TestWindow(t *testing.T) {
	// Each step is a relative number and the verdicts for no flags, replay,
	// sequence and both.
	type step struct {
		n    int64
		want [4]gsserr.Major
	}
	tests := []struct {
		name  string
		steps []step
	}{
		{"in order", []step{{0, [4]gsserr.Major{}}, {1, [4]gsserr.Major{}}, {2, [4]gsserr.Major{}}}},
		{"gap at once", []step{{5, [4]gsserr.Major{ok, ok, gap, gap}}}},
		{"late arrival", []step{
			{0, [4]gsserr.Major{}},
			{2, [4]gsserr.Major{ok, ok, gap, gap}},
			{1, [4]gsserr.Major{ok, ok, unseq, unseq}},
			{1, [4]gsserr.Major{ok, dup, unseq, dup}},
			{3, [4]gsserr.Major{}},
		}},
		{"duplicate", []step{
			{0, [4]gsserr.Major{}},
			{0, [4]gsserr.Major{ok, dup, unseq, dup}},
		}},
		{"edge of the window", []step{
			{100, [4]gsserr.Major{ok, ok, gap, gap}},
			{37, [4]gsserr.Major{ok, ok, unseq, unseq}}, // 64 back from 101
			{37, [4]gsserr.Major{ok, dup, unseq, dup}},
			{36, [4]gsserr.Major{ok, old, unseq, unseq}}, // 65 back
			{36, [4]gsserr.Major{ok, old, unseq, unseq}},
		}},
		{"seen before a shift by 63", []step{
			{0, [4]gsserr.Major{}},
			{63, [4]gsserr.Major{ok, ok, gap, gap}},
			{0, [4]gsserr.Major{ok, dup, unseq, dup}},
		}},
		{"forgotten after a shift by 64", []step{
			{0, [4]gsserr.Major{}},
			{64, [4]gsserr.Major{ok, ok, gap, gap}},
			{1, [4]gsserr.Major{ok, ok, unseq, unseq}},
			{0, [4]gsserr.Major{ok, old, unseq, unseq}},
		}},
		{"before the first", []step{
			// As MIT has it: it counts as far ahead, not as behind.
			{-1, [4]gsserr.Major{ok, ok, gap, gap}},
			{-1, [4]gsserr.Major{ok, ok, gap, gap}}, // next has wrapped to 0
		}},
	}
	for _, tt := range tests {
		for flags := range 4 {
			for _, wide := range []bool{false, true} {
				for _, first := range []uint64{0, 1, 1<<30 - 1, 1<<32 - 2, 1<<64 - 2} {
					t.Run(fmt.Sprintf("%s/%d/%v/%x", tt.name, flags, wide, first), func(t *testing.T) {
						w := New(first, flags&1 != 0, flags&2 != 0, wide)
						for i, s := range tt.steps {
							n := first + uint64(s.n)
							if got := w.Check(n); got != s.want[flags] {
								t.Fatalf("step %d: Check(first%+d) = %v, want %v", i, s.n, got, s.want[flags])
							}
						}
					})
				}
			}
		}
	}
}

func TestWindowZero(t *testing.T) {
	var w Window
	for _, n := range []uint64{7, 7, 0, 1 << 63} {
		require.Equal(t, ok, w.Check(n))
	}
}

func TestWindowIsAValue(t *testing.T) {
	w := New(0, true, true, true)
	require.Equal(t, ok, w.Check(0))
	c := w
	require.Equal(t, ok, w.Check(1))
	require.Equal(t, ok, c.Check(1))
	require.Equal(t, dup, c.Check(1))
}

func TestWindowNarrowIgnoresHighBits(t *testing.T) {
	w := New(5|1<<40, true, true, false)
	require.Equal(t, ok, w.Check(5))
	require.Equal(t, dup, w.Check(5|7<<32))
	require.Equal(t, ok, w.Check(6|1<<63))
}

// TestWindowWrap follows a 32-bit window over its end: the numbers go on, and
// those before the wrap are forgotten, as in MIT's library.
func TestWindowWrap(t *testing.T) {
	w := New(10, true, true, false)
	require.Equal(t, gap, w.Check(8)) // relative 2^32-2
	require.Equal(t, ok, w.Check(9))  // relative 2^32-1
	require.Equal(t, ok, w.Check(10)) // relative 0 again
	require.Equal(t, dup, w.Check(10))
	require.Equal(t, ok, w.Check(11))
}

// model is the window written down from its description: a set of what was
// seen and the next number.
type model struct {
	replay, sequence bool
	next             uint64
	seen             map[uint64]bool
}

func (m *model) check(rel uint64) gsserr.Major {
	switch {
	case !m.replay && !m.sequence:
		return ok
	case rel >= m.next:
		late := rel > m.next
		m.next = rel + 1
		m.seen[rel] = true
		if late && m.sequence {
			return gap
		}
		return ok
	case m.next-rel > 64:
		if m.sequence {
			return unseq
		}
		return old
	case m.replay && m.seen[rel]:
		return dup
	}
	m.seen[rel] = true
	if m.sequence {
		return unseq
	}
	return ok
}

func TestWindowModel(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		replay, sequence, wide := round&1 != 0, round&2 != 0, round&4 != 0
		first := r.Uint64()
		if round&8 != 0 {
			first = ^uint64(0) - r.Uint64N(100) // wraps soon
		}
		w := New(first, replay, sequence, wide)
		m := model{replay: replay, sequence: sequence, seen: map[uint64]bool{}}
		at := uint64(0)
		for range 500 {
			switch r.IntN(8) {
			case 0:
				at += r.Uint64N(200)
			case 1:
				at += 63 + r.Uint64N(3)
			default:
				at++
			}
			n := at - min(at, r.Uint64N(90))
			got, want := w.Check(first+n), m.check(n)
			require.Equal(t, want, got, "round %d: Check(first+%d), next %d", round, n, m.next)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	w := New(0, true, true, true)
	n := uint64(0)
	for b.Loop() {
		w.Check(n)
		n++
	}
}
