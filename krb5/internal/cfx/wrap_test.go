package cfx

import (
	"bytes"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/mech"
)

// overhead is what a token adds to a message, from the tables of RFC 3962 and
// RFC 8009.
var overhead = map[bool]map[etype.ID]int{
	false: {17: 60, 18: 60, 19: 64, 20: 72}, // sealed
	true:  {17: 28, 18: 28, 19: 32, 20: 40}, // integrity only
}

func TestRoundTrip(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		i, a := s.pair(t)
		for _, dir := range []struct{ from, to *Context }{{i, a}, {a, i}} {
			for _, o := range []*mech.WrapOptions{sealed, integOnly, {}} {
				integ := o != nil && o.IntegrityOnly
				for _, n := range []int{0, 1, 15, 16, 17, 31, 32, 33, 4095, 65536} {
					msg := message(n)
					token, err := dir.from.Wrap([]byte("before"), msg, o)
					require.NoError(t, err)
					require.Equal(t, "before", string(token[:6]))
					token = token[6:]
					require.Len(t, token, n+overhead[integ][s.id])
					if n > 8 { // a short one may turn up by chance
						require.Equal(t, integ, bytes.Contains(token, msg))
					}

					got, info, err := dir.to.Unwrap([]byte("before"), token)
					require.NoError(t, err)
					require.Equal(t, mech.MessageInfo{Encrypted: !integ}, info)
					require.True(t, bytes.Equal(append([]byte("before"), msg...), got), "length %d", n)
				}
			}
		}
	})
}

// TestWrapByTheBook takes tokens apart with one-shot functions and compares
// every byte with RFC 4121 §4.2.4 and §4.2.6.2.
func TestWrapByTheBook(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		for _, initiator := range []bool{true, false} {
			c := s.side(t, initiator)
			key, flags, usage, seq := testKey(t, s.id, 1), byte(0), uint32(24), uint64(seqInitiator)
			if s.subkey {
				key, flags = testKey(t, s.id, 99), 4
			}
			if !initiator {
				flags |= 1
				usage = 22
				seq = seqAcceptor
			}
			msg := message(45)

			token, err := c.Wrap(nil, msg, nil)
			require.NoError(t, err)
			h := headerBytes(header{token: 0x0504, flags: flags | 2, seq: seq})
			require.Equal(t, h, token[:16])
			plain, err := key.Decrypt(nil, token[16:], usage)
			require.NoError(t, err)
			require.Equal(t, append(bytes.Clone(msg), h...), plain)

			token, err = c.Wrap(nil, msg, integOnly)
			require.NoError(t, err)
			sumLen := overhead[true][s.id] - 16
			require.Equal(t, headerBytes(header{token: 0x0504, flags: flags, ec: uint16(sumLen), seq: seq + 1}), token[:16])
			require.Equal(t, msg, token[16:16+len(msg)])
			require.NoError(t, key.VerifyChecksum(token[16+len(msg):], usage, msg,
				headerBytes(header{token: 0x0504, flags: flags, seq: seq + 1})))

			token, err = c.GetMIC(nil, msg, 0)
			require.NoError(t, err)
			h = headerBytes(header{token: 0x0404, flags: flags, ec: 0xffff, rrc: 0xffff, seq: seq + 2})
			require.Equal(t, h, token[:16])
			require.NoError(t, key.VerifyChecksum(token[16:], usage+1, msg, h))
		}
	})
}

func TestWrapIsRandom(t *testing.T) {
	s := setup{id: etype.AES256SHA2}
	one, err := s.side(t, true).Wrap(nil, []byte("same"), nil)
	require.NoError(t, err)
	two, err := s.side(t, true).Wrap(nil, []byte("same"), nil)
	require.NoError(t, err)
	require.NotEqual(t, one, two)
}

func TestWrapSizeLimit(t *testing.T) {
	for _, id := range etypes {
		for _, o := range []*mech.WrapOptions{sealed, integOnly, {}} {
			integ := o != nil && o.IntegrityOnly
			t.Run(fmt.Sprintf("%v/integ=%v", id, integ), func(t *testing.T) {
				c := setup{id: id}.side(t, true)
				for n := range 601 {
					token, err := c.Wrap(nil, message(n), o)
					require.NoError(t, err)
					got, err := c.WrapSizeLimit(len(token), o)
					require.NoError(t, err)
					require.Equal(t, n, got)
					got, err = c.WrapSizeLimit(len(token)-1, o)
					require.NoError(t, err)
					require.Equal(t, max(n-1, 0), got)
				}
				for _, size := range []int{0, 1, 27, -1, math.MinInt} {
					got, err := c.WrapSizeLimit(size, o)
					require.NoError(t, err)
					require.Zero(t, got)
				}
			})
		}
	}
}
