package kdcclient

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// Key usages of the encrypted challenge (RFC 6113 §7.6).
const (
	usageChallengeClient = 54
	usageChallengeKDC    = 55
)

// encChallenge is the encrypted challenge (RFC 6113 §5.4.6): a timestamp under a
// key of the armor key and the client's. It exists under armor only. The KDC
// proves that it knows the client's key too.
type encChallenge struct{ longTerm }

func (*encChallenge) padata() int32 { return wire.PAEncChallenge }
func (*encChallenge) name() string  { return "encrypted challenge" }

func (*encChallenge) respond(_ context.Context, l *login) ([]wire.PAData, error) {
	key, err := l.clientKey(l.method, 0)
	if err != nil {
		return nil, err
	}
	challenge, err := enctype.CF2(l.fast.key, key, "clientchallengearmor", "challengelongterm")
	if err != nil {
		return nil, err
	}
	defer challenge.Clear()
	stamp := wire.PAEncTS{Time: l.c.now(l.offset)}
	cipher, err := challenge.Encrypt(nil, stamp.Append(nil), usageChallengeClient)
	if err != nil {
		return nil, err
	}
	enc := wire.EncryptedData{Etype: challenge.Enctype(), Cipher: cipher}
	return []wire.PAData{{Type: wire.PAEncChallenge, Value: enc.Append(nil)}}, nil
}

func (m *encChallenge) replyKey(l *login, rep *wire.KDCRep) (*enctype.Key, error) {
	key, err := m.longTerm.replyKey(l, rep)
	if err != nil {
		return nil, err
	}
	pa, ok := find(rep.PAData, wire.PAEncChallenge)
	if !ok {
		return nil, modified("the KDC does not prove that it knows the client's key")
	}
	enc, err := wire.ParseEncryptedData(pa.Value)
	if err != nil {
		return nil, modified("PA-ENCRYPTED-CHALLENGE: %w", err)
	}
	plain, err := openChallenge(l.fast.key, key, "kdcchallengearmor", enc)
	if err != nil {
		// Heimdal 7 derives this key as it does the client's. To know that one
		// is as much of a proof, and what the client sent is no answer, since
		// it has another usage.
		plain, err = openChallenge(l.fast.key, key, "clientchallengearmor", enc)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: the KDC's proof that it knows the client's key", err)
	}
	if _, err := wire.ParsePAEncTS(plain); err != nil {
		return nil, fmt.Errorf("%w: PA-ENCRYPTED-CHALLENGE: %w", krberr.KDCRepModified, err)
	}
	return key, nil
}

func openChallenge(armor, key *enctype.Key, pepper string, enc *wire.EncryptedData) ([]byte, error) {
	challenge, err := enctype.CF2(armor, key, pepper, "challengelongterm")
	if err != nil {
		return nil, err
	}
	defer challenge.Clear()
	if enc.Etype != challenge.Enctype() {
		return nil, fmt.Errorf("%w: PA-ENCRYPTED-CHALLENGE is encrypted with %s", krberr.WrongEtype, enc.Etype)
	}
	return challenge.Decrypt(nil, enc.Cipher, usageChallengeKDC)
}
