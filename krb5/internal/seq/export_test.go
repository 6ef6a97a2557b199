package seq

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// A window goes on in another process as if nothing had happened.
func TestExport(t *testing.T) {
	for range 200 {
		w := New(rand.Uint64(), rand.IntN(2) == 0, rand.IntN(2) == 0, rand.IntN(2) == 0)
		next := w.first
		for range 100 {
			w.Check(next + rand.Uint64N(100) - 50)
			next++
		}
		got, ok := Parse(w.Append(nil))
		require.True(t, ok)
		require.Equal(t, w, got)
	}
}

func FuzzParse(f *testing.F) {
	w := New(7, true, true, true)
	w.Check(7)
	f.Add(w.Append(nil))
	f.Add(make([]byte, EncodedSize))
	f.Fuzz(func(t *testing.T, b []byte) {
		if w, ok := Parse(b); ok {
			require.Equal(t, b, w.Append(nil))
			w.Check(1)
		}
	})
}
