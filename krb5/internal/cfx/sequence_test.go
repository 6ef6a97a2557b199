package cfx

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// TestSequence delivers tokens late, twice and not at all. Each step gives the
// verdicts for no flags, replay, sequence and both.
func TestSequence(t *testing.T) {
	const (
		ok    = gsserr.Major(0)
		dup   = gsserr.ErrDuplicateToken
		old   = gsserr.ErrOldToken
		unseq = gsserr.ErrUnseqToken
		gap   = gsserr.ErrGapToken
	)
	steps := []struct {
		n    int
		want [4]gsserr.Major
	}{
		{0, [4]gsserr.Major{}},
		{0, [4]gsserr.Major{ok, dup, unseq, dup}},
		{2, [4]gsserr.Major{ok, ok, gap, gap}},
		{1, [4]gsserr.Major{ok, ok, unseq, unseq}},
		{1, [4]gsserr.Major{ok, dup, unseq, dup}},
		{3, [4]gsserr.Major{}},
		{99, [4]gsserr.Major{ok, ok, gap, gap}},
		{36, [4]gsserr.Major{ok, ok, unseq, unseq}},
		{35, [4]gsserr.Major{ok, old, unseq, unseq}},
	}
	for flags := range 4 {
		for kind, o := range map[string]*mech.WrapOptions{"sealed": sealed, "integ": integOnly, "mic": nil} {
			t.Run(fmt.Sprintf("%d/%s", flags, kind), func(t *testing.T) {
				i, a := setup{id: aes128, replay: flags&1 != 0, sequence: flags&2 != 0}.pair(t)
				tokens := make([][]byte, 100)
				for n := range tokens {
					var err error
					if kind == "mic" {
						tokens[n], err = i.GetMIC(nil, message(n), 0)
					} else {
						tokens[n], err = i.Wrap(nil, message(n), o)
					}
					require.NoError(t, err)
				}
				for _, s := range steps {
					op := "unwrap"
					var err error
					if kind == "mic" {
						op = "verify_mic"
						_, err = a.VerifyMIC(message(s.n), tokens[s.n])
					} else {
						var got []byte
						var info mech.MessageInfo
						got, info, err = a.Unwrap([]byte{}, tokens[s.n])
						require.Equal(t, message(s.n), got, "the message comes all the same")
						require.Equal(t, kind == "sealed", info.Encrypted)
					}
					if want := s.want[flags]; want == 0 {
						require.NoError(t, err)
					} else {
						requireError(t, err, op, want, 0)
						require.True(t, gsserr.Informational(err))
					}
				}
			})
		}
	}
}

// TestSequenceShared checks that Wrap and MIC tokens count together.
func TestSequenceShared(t *testing.T) {
	i, a := setup{id: aes128, replay: true, sequence: true}.pair(t)
	for n := range 10 {
		msg := message(n)
		token, err := i.Wrap(nil, msg, nil)
		require.NoError(t, err)
		_, _, err = a.Unwrap(nil, token)
		require.NoError(t, err)
		mic, err := i.GetMIC(nil, msg, 0)
		require.NoError(t, err)
		_, err = a.VerifyMIC(msg, mic)
		require.NoError(t, err)
	}
}

func TestSequenceIs64Bits(t *testing.T) {
	k := func() Params {
		return Params{Key: testKey(t, aes128, 1), SendSeq: 1<<64 - 2, RecvSeq: 1<<64 - 2, Replay: true, Sequence: true}
	}
	p := k()
	p.Initiator = true
	i, a := New(p), New(k())
	for _, want := range []uint64{1<<64 - 2, 1<<64 - 1, 0, 1} {
		token, err := i.Wrap(nil, nil, nil)
		require.NoError(t, err)
		var h header
		_, err = h.parse(token, tokenWrap)
		require.NoError(t, err)
		require.Equal(t, want, h.seq)
		_, _, err = a.Unwrap(nil, token)
		require.NoError(t, err)
	}
}
