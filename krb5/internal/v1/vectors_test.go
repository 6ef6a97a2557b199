package v1

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// MIT's tokens are read, and made again but for what is random in them.
func TestMITRecordings(t *testing.T) {
	skipWithout(t)
	for n, r := range recordings(t) {
		t.Run(fmt.Sprintf("%v/%d", r.id, n), func(t *testing.T) {
			got, err := r.side(t, !r.initiator).take(t, r.kind, r.msg, r.token)
			require.NoError(t, err, "also the number is the right one")
			require.Equal(t, string(r.msg), string(got))

			from := r.side(t, r.initiator)
			if r.kind != "mic" {
				from.send.setConfounder(confounderOf(t, r))
			}
			token, err := from.make(r.kind, r.msg)
			require.NoError(t, err)
			require.Equal(t, r.token, token)
		})
	}
}

// setConfounder makes the next confounder known.
func (s *sender) setConfounder(b []byte) {
	s.unused = confounderLen
	copy(s.random[len(s.random)-confounderLen:], b)
}

// confounderOf decrypts the confounder of a recorded token.
func confounderOf(t testing.TB, r recorded) []byte {
	c := r.side(t, !r.initiator)
	require.NoError(t, c.recv.suite.prepare())
	x := &c.recv.suite
	p, err := parse(r.token, c.mech, tokenWrap, &x.algorithms)
	require.NoError(t, err)
	if !p.sealed {
		return p.body[:confounderLen]
	}
	x.crypt.start(r.seq)
	out := make([]byte, confounderLen)
	require.NoError(t, x.crypt.decrypt(out, p.body[:confounderLen]))
	return out
}

// The limits that the reference has measured with MIT's library.
func TestWrapSizeLimitMIT(t *testing.T) {
	for _, tt := range []struct {
		s          setup
		size, want int
	}{
		{setup{id: 23}, 100, 32}, {setup{id: 23}, 1000, 928},
		{setup{id: 16}, 100, 16}, {setup{id: 16}, 1000, 912},
		{setup{id: 16}, 0, 0}, {setup{id: 23}, 60, 0}, {setup{id: 23}, -1, 0},
	} {
		i, _ := tt.s.pair(t)
		for _, o := range []struct{ integ bool }{{false}, {true}} {
			opts := sealed
			if o.integ {
				opts = integOnly
			}
			got, err := i.WrapSizeLimit(tt.size, opts)
			require.NoError(t, err)
			require.Equal(t, tt.want, got, "%v %d", tt.s.id, tt.size)
		}
	}
}
