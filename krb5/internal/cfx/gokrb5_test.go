package cfx

import (
	"encoding/binary"
	"testing"

	"github.com/jcmturner/gokrb5/v8/gssapi"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// otherKey is testKey in gokrb5's form.
func otherKey(id etype.ID, seed byte) types.EncryptionKey {
	return types.EncryptionKey{KeyType: int32(id), KeyValue: testKeyBytes(id, seed)}
}

// TestGokrb5Reads has gokrb5, an independent implementation, verify our tokens.
// It knows integrity-only Wrap tokens and MICs.
func TestGokrb5Reads(t *testing.T) {
	everySetup(t, func(t *testing.T, s setup) {
		for _, initiator := range []bool{true, false} {
			c := s.side(t, initiator)
			key, usage := otherKey(s.id, 1), uint32(24)
			if s.subkey {
				key = otherKey(s.id, 99)
			}
			if !initiator {
				usage = 22
			}
			for _, n := range []int{0, 1, 15, 16, 17, 4095} {
				msg := message(n)
				token, err := c.Wrap(nil, msg, integOnly)
				require.NoError(t, err)
				var w gssapi.WrapToken
				require.NoError(t, w.Unmarshal(token, !initiator))
				require.Equal(t, msg, w.Payload)
				ok, err := w.Verify(key, usage)
				require.NoError(t, err)
				require.True(t, ok)

				mic, err := c.GetMIC(nil, msg, 0)
				require.NoError(t, err)
				var m gssapi.MICToken
				require.NoError(t, m.Unmarshal(mic, !initiator))
				m.Payload = msg
				ok, err = m.Verify(key, usage+1)
				require.NoError(t, err)
				require.True(t, ok)
			}
		}
	})
}

// TestGokrb5Writes verifies gokrb5's tokens, with the number 0 that it always
// uses and with others.
func TestGokrb5Writes(t *testing.T) {
	for _, id := range etypes {
		for _, seq := range []uint64{0, 1, 1 << 30, 1<<64 - 1} {
			for _, initiator := range []bool{true, false} {
				flags, usage := byte(0), uint32(24)
				if !initiator {
					flags, usage = 1, 22
				}
				peer := New(Params{Initiator: !initiator, Key: testKey(t, id, 1), RecvSeq: seq, Replay: true, Sequence: true})
				msg := message(77)

				ec := uint16(overhead[true][id] - 16)
				w := gssapi.WrapToken{Flags: flags, EC: ec, SndSeqNum: seq, Payload: msg}
				require.NoError(t, w.SetCheckSum(otherKey(id, 1), usage))
				token, err := w.Marshal()
				require.NoError(t, err)
				got, info, err := peer.Unwrap(nil, token)
				require.NoError(t, err)
				require.Equal(t, msg, got)
				require.False(t, info.Encrypted)

				m := gssapi.MICToken{Flags: flags, SndSeqNum: seq + 1, Payload: msg}
				require.NoError(t, m.SetChecksum(otherKey(id, 1), usage+1))
				mic, err := m.Marshal()
				require.NoError(t, err)
				_, err = peer.VerifyMIC(msg, mic)
				require.NoError(t, err)

				binary.BigEndian.PutUint64(mic[8:], seq+2)
				_, err = peer.VerifyMIC(msg, mic)
				requireForgery(t, err)
			}
		}
	}
}
