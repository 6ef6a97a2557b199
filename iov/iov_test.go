package iov_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/iov"
)

// The numbers and names are those of GSS_IOV_BUFFER_TYPE_* in the C bindings.
func TestType(t *testing.T) {
	for n, tt := range map[iov.Type]struct {
		typ  iov.Type
		name string
	}{
		0: {iov.Empty, "empty"}, 1: {iov.Data, "data"}, 2: {iov.Header, "header"}, 3: {iov.MechParams, "mech params"},
		7: {iov.Trailer, "trailer"}, 9: {iov.Padding, "padding"}, 10: {iov.Stream, "stream"},
		11: {iov.SignOnly, "sign only"}, 12: {iov.MICToken, "MIC token"}, 99: {99, "unknown"},
	} {
		require.Equal(t, n, tt.typ)
		require.Equal(t, tt.name, n.String())
	}
}

func TestMessage(t *testing.T) {
	a, b := []byte("a"), []byte("bc")
	got := iov.Message(a, b)
	require.Equal(t, []iov.Buffer{
		{Type: iov.Header, Alloc: true}, {Type: iov.Data, Bytes: a}, {Type: iov.Data, Bytes: b},
		{Type: iov.Padding, Alloc: true}, {Type: iov.Trailer, Alloc: true},
	}, got)
	require.Same(t, &a[0], &got[1].Bytes[0], "data is not copied")
	require.Len(t, iov.Message(), 3)
}

func TestAEAD(t *testing.T) {
	msg, ad := []byte("message"), []byte("associated")
	require.Equal(t, []iov.Buffer{
		{Type: iov.Header, Alloc: true}, {Type: iov.SignOnly, Bytes: ad}, {Type: iov.Data, Bytes: msg},
		{Type: iov.Padding, Alloc: true}, {Type: iov.Trailer, Alloc: true},
	}, iov.AEAD(msg, ad))
}

func TestJoin(t *testing.T) {
	b := iov.AEAD([]byte("message"), []byte("associated"))
	b[0].Bytes, b[3].Bytes, b[4].Bytes = []byte("head "), []byte("."), []byte(" tail")
	require.Equal(t, "x head message. tail", string(iov.Join([]byte("x "), b)))
	require.Equal(t, "x", string(iov.Join([]byte("x"), nil)))
	dst := make([]byte, 0, 64)
	require.Zero(t, testing.AllocsPerRun(10, func() { iov.Join(dst, b) }))
}

func Example() {
	b := iov.Message([]byte("one "), []byte("two"))
	fmt.Println(len(b), b[1].Type, string(iov.Join(nil, b)))
	// Output: 5 data one two
}
