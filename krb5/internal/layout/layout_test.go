package layout_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/layout"
)

func TestScan(t *testing.T) {
	b := []iov.Buffer{
		{Type: iov.SignOnly}, {Type: iov.Data}, {Type: iov.Header}, {Type: iov.Empty}, {Type: iov.Data}, {Type: iov.Padding}, {Type: iov.Trailer},
		{Type: iov.MechParams}, {Type: 99},
	}
	l, err := layout.Scan(b)
	require.NoError(t, err)
	require.Same(t, &b[1], l.Data)
	require.Equal(t, 2, l.Datas)
	require.Same(t, &b[2], l.Header)
	require.Same(t, &b[5], l.Padding)
	require.Same(t, &b[6], l.Trailer)
	require.Nil(t, l.Stream)
	require.Nil(t, l.MIC)
	require.NoError(t, l.Wrapped())
	require.ErrorIs(t, l.Signed(), layout.Err)
	for _, typ := range []iov.Type{iov.Header, iov.Padding, iov.Trailer, iov.Stream, iov.MICToken} {
		l, err := layout.Scan([]iov.Buffer{{Type: typ}, {Type: iov.Data}, {Type: typ}})
		require.ErrorIs(t, err, layout.Err)
		require.Len(t, l.All, 3, "to be wiped")
	}
	l, err = layout.Scan(nil)
	require.NoError(t, err)
	require.ErrorIs(t, l.Wrapped(), layout.Err)
	for _, typ := range []iov.Type{iov.Stream, iov.MICToken} {
		l, err = layout.Scan([]iov.Buffer{{Type: iov.Header}, {Type: typ}})
		require.NoError(t, err)
		require.ErrorIs(t, l.Wrapped(), layout.Err)
	}
	require.NoError(t, l.Signed())
}

func TestWipe(t *testing.T) {
	b := []iov.Buffer{{Type: iov.SignOnly, Bytes: []byte("a")}, {Type: iov.Data, Bytes: []byte("b")}, {Type: iov.Data, Bytes: []byte("cd")}}
	l, err := layout.Scan(b)
	require.NoError(t, err)
	l.Wipe()
	require.Equal(t, []iov.Buffer{{Type: iov.SignOnly, Bytes: []byte("a")}, {Type: iov.Data, Bytes: []byte{0}}, {Type: iov.Data, Bytes: []byte{0, 0}}}, b)
}

func TestGive(t *testing.T) {
	mem := make([]byte, 3, 10)
	b := iov.Buffer{Bytes: mem}
	require.ErrorIs(t, layout.Give(&b, 4), krberr.BadMsize)
	require.Len(t, b.Bytes, 3)
	require.NoError(t, layout.Give(&b, 3))
	b.Alloc = true
	require.NoError(t, layout.Give(&b, 10))
	require.Same(t, &mem[0], &b.Bytes[0])
	require.NoError(t, layout.Give(&b, 11))
	require.NotSame(t, &mem[0], &b.Bytes[0])
	layout.Resize(&b, 0)
	require.Empty(t, b.Bytes)
}

// Overlaps says what comparing each with each says.
func TestOverlaps(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	mem := make([]byte, 200)
	var m layout.Memory
	found := map[bool]int{}
	for range 20_000 {
		type part struct {
			from, to int
			written  bool
		}
		var parts []part
		var b []iov.Buffer
		for range r.IntN(7) {
			from := r.IntN(len(mem))
			to := min(from+r.IntN(40), len(mem))
			p := part{from, to, r.IntN(2) == 0}
			typ := iov.SignOnly
			if p.written {
				typ = []iov.Type{iov.Header, iov.Data, iov.Padding, iov.Trailer}[r.IntN(4)]
			}
			parts, b = append(parts, p), append(b, iov.Buffer{Type: typ, Bytes: mem[from:to]})
		}
		want := false
		for i, p := range parts {
			for _, q := range parts[:i] {
				if (p.written || q.written) && p.from < q.to && q.from < p.to && p.from < p.to && q.from < q.to {
					want = true
				}
			}
		}
		m = m.Of(b)
		require.Equal(t, want, m.Overlaps(), "%v", parts)
		found[want]++
	}
	require.Greater(t, found[true], 1000)
	require.Greater(t, found[false], 1000)
	m = m.Of([]iov.Buffer{{Type: iov.Empty, Bytes: mem}, {Type: iov.MechParams, Bytes: mem}, {Type: iov.Data, Bytes: mem}})
	require.False(t, m.Overlaps(), "what is ignored counts for nothing")
}
