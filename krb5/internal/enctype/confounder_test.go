package enctype

import (
	"crypto/rand"
	"io"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was drawn is handed out once, in any number of draws, and is gone from
// the buffer.
func TestConfounders(t *testing.T) {
	var drawn []byte
	var sizes []int
	c := confounders{read: func(b []byte) (int, error) {
		n, err := rand.Read(b)
		drawn = append(drawn, b...)
		sizes = append(sizes, n)
		return n, err
	}}
	var got []byte
	for range 100 {
		var b [block]byte
		require.NoError(t, c.next(&b))
		got = append(got, b[:]...)
		require.Equal(t, drawn[:len(got)], got)
		require.Equal(t, make([]byte, len(c.buf)-c.left), c.buf[:len(c.buf)-c.left], "used ones are wiped")
	}
	require.Equal(t, []int{16, 32, 64, 128, 256, 256, 256, 256, 256, 256}, sizes)
}

// A failed draw hands out nothing, and the next call tries again.
func TestConfoundersFail(t *testing.T) {
	fail := true
	c := confounders{read: func(b []byte) (int, error) {
		if fail {
			return 0, io.ErrUnexpectedEOF
		}
		for i := range b {
			b[i] = 7
		}
		return len(b), nil
	}}
	var b [block]byte
	require.ErrorIs(t, c.next(&b), io.ErrUnexpectedEOF)
	require.Zero(t, b)
	fail = false
	require.NoError(t, c.next(&b))
	require.Equal(t, byte(7), b[0])
}
