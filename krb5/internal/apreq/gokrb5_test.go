package apreq

import (
	"fmt"
	"testing"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	krbtypes "github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

func theirKey(k *enctype.Key) krbtypes.EncryptionKey {
	return krbtypes.EncryptionKey{KeyType: int32(k.Enctype()), KeyValue: k.Bytes()}
}

func theirName(n principal.Name) krbtypes.PrincipalName {
	return krbtypes.PrincipalName{NameType: n.Type, NameString: n.Components}
}

// gokrb5 reads our request.
func TestGokrb5Reads(t *testing.T) {
	for _, id := range types {
		for _, mutual := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/mutual=%t", id, mutual), func(t *testing.T) {
				s := newScene(t, id)
				r := s.initiator(t)
				r.Mutual = mutual
				msg, err := r.Append(nil)
				require.NoError(t, err)

				var req messages.APReq
				require.NoError(t, req.Unmarshal(msg))
				require.Equal(t, mutual, krbtypes.IsFlagSet(&req.APOptions, flags.APOptionMutualRequired))
				require.Equal(t, service.Components, req.Ticket.SName.NameString)
				plain, err := crypto.DecryptEncPart(req.Ticket.EncPart, theirKey(s.key), keyusage.KDC_REP_TICKET)
				require.NoError(t, err)
				var part messages.EncTicketPart
				require.NoError(t, part.Unmarshal(plain))
				require.NoError(t, req.DecryptAuthenticator(part.Key))
				a := req.Authenticator
				require.Equal(t, alice.Realm, a.CRealm)
				require.Equal(t, alice.Components, a.CName.NameString)
				require.Equal(t, r.Time, a.CTime.Add(time.Duration(a.Cusec)*time.Microsecond))
				require.EqualValues(t, r.Seq, a.SeqNumber)
				require.Equal(t, theirKey(r.Subkey), a.SubKey)
				require.EqualValues(t, ChecksumType, a.Cksum.CksumType)
				sum, err := ParseChecksum(a.Cksum.Checksum)
				require.NoError(t, err)
				require.Equal(t, r.Checksum, sum)
			})
		}
	}
}

// We accept what gokrb5 writes.
func TestGokrb5Writes(t *testing.T) {
	for _, id := range types {
		for _, subkey := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/subkey=%t", id, subkey), func(t *testing.T) {
				s := newScene(t, id)
				auth, err := krbtypes.NewAuthenticator(alice.Realm, theirName(alice)) // takes the time
				require.NoError(t, err)
				s.acceptor.Now = auth.CTime
				plain, err := asn1.Marshal(messages.EncTicketPart{
					Flags:     krbtypes.NewKrbFlags(),
					Key:       theirKey(s.session),
					CRealm:    alice.Realm,
					CName:     theirName(alice),
					Transited: messages.TransitedEncoding{TRType: 1},
					AuthTime:  auth.CTime, StartTime: auth.CTime, EndTime: auth.CTime.Add(time.Hour),
				})
				require.NoError(t, err)
				plain = asn1tools.AddASNAppTag(plain, asnAppTag.EncTicketPart)
				enc, err := crypto.GetEncryptedData(plain, theirKey(s.key), keyusage.KDC_REP_TICKET, 3)
				require.NoError(t, err)
				ticket := messages.Ticket{TktVNO: 5, Realm: service.Realm, SName: theirName(service), EncPart: enc}
				sum, err := (&Checksum{Flags: mech.FlagInteg}).Append(nil)
				require.NoError(t, err)
				auth.Cksum = krbtypes.Checksum{CksumType: ChecksumType, Checksum: sum}
				if subkey {
					auth.SubKey = theirKey(newKey(t, id))
				}
				theirs, err := messages.NewAPReq(ticket, theirKey(s.session), auth)
				require.NoError(t, err)
				krbtypes.SetFlag(&theirs.APOptions, flags.APOptionMutualRequired)
				msg, err := theirs.Marshal()
				require.NoError(t, err)

				req, err := wire.ParseAPReq(msg)
				require.NoError(t, err)
				acc, _, err := s.acceptor.Accept(ctx, req)
				require.NoError(t, err)
				require.True(t, acc.Client().Equal(alice))
				require.Equal(t, OptMutualRequired, acc.Options)
				require.Equal(t, auth.SeqNumber, int64(acc.Auth.Seq))
				require.Equal(t, subkey, acc.Subkey != nil)
				terms, err := acc.Terms(nil, false)
				require.NoError(t, err)
				require.Equal(t, mech.FlagInteg, terms.Flags)
			})
		}
	}
}
