package testenv

import (
	"crypto/rand"
	"encoding/hex"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/types"
)

// anonymousRealm and anonymousName are the name that is none (RFC 8062 §3).
const anonymousRealm = "WELLKNOWN:ANONYMOUS"

var anonymousName = types.PrincipalName{NameType: 11, NameString: []string{"WELLKNOWN", "ANONYMOUS"}}

// requestAnonymous is the KDC option (RFC 8062 §3), for which gokrb5 has the
// number of an older draft.
const requestAnonymous = 16

// proof is what preauthentication has come to.
type proof struct {
	key    types.EncryptionKey // the reply key, before FAST strengthens it
	kvno   int                 // of key, 0 if it is not in the database
	padata types.PADataSequence
	// session, if not nil, makes the session key, and more padata.
	session func(id int32) (types.EncryptionKey, types.PADataSequence, error)
}

// maxCookies bounds the exchanges that are remembered.
const maxCookies = 1024

// remember keeps the state of an exchange of several requests until its cookie
// comes back.
func (k *KDC) remember(state any) types.PAData {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.cookies == nil || len(k.cookies) >= maxCookies {
		k.cookies = make(map[string]any)
	}
	k.cookies[hex.EncodeToString(id)] = state
	return types.PAData{PADataType: paFXCookie, PADataValue: id}
}

// recall returns what belongs to the request's cookie, once.
func (k *KDC) recall(r *request) any {
	id, _ := r.padata(paFXCookie)
	k.mu.Lock()
	defer k.mu.Unlock()
	state := k.cookies[hex.EncodeToString(id)]
	delete(k.cookies, hex.EncodeToString(id))
	return state
}

// prove verifies the preauthentication of a request, by any mechanism that is
// offered.
func (k *KDC) prove(r *request, client *entry, key types.EncryptionKey, now time.Time, info types.ETypeInfo2) (*proof, error) {
	offers, err := k.offers(r, client, info)
	if err != nil {
		return nil, err
	}
	for _, offer := range offers {
		typ := offer.PADataType
		if typ == paOTPChallenge {
			typ = paOTPRequest
		}
		value, ok := r.padata(typ)
		if !ok {
			continue
		}
		switch typ {
		case paEncChallenge:
			return k.encChallenge(r, client, key.KeyType, value, now)
		case paSPAKE:
			return k.spake(r, client, key, value, info)
		case paPKASReq:
			return k.pkinit(r, client, key.KeyType, value, now)
		case paOTPRequest:
			return k.otp(r, client, value)
		case patype.PA_ENC_TIMESTAMP:
			return k.timestamp(r, client, key, now, offers)
		}
	}
	if k.opt.NoPreauth && !r.option(requestAnonymous) {
		return &proof{key: key, kvno: client.newest().kvno}, nil
	}
	data, err := asn1.Marshal(offers)
	if err != nil {
		return nil, err
	}
	return nil, &failure{code: errorcode.KDC_ERR_PREAUTH_REQUIRED, data: data}
}

// offers is what the client can do to prove itself, the best first.
func (k *KDC) offers(r *request, client *entry, info types.ETypeInfo2) (types.PADataSequence, error) {
	var list types.PADataSequence
	offer := func(typ int32, value []byte) {
		list = append(list, types.PAData{PADataType: typ, PADataValue: value})
	}
	if k.pki != nil {
		offer(paPKASReq, []byte{})
		if _, asked := r.padata(paASFreshness); asked {
			offer(paASFreshness, k.freshness())
		}
	}
	if challenge := k.otpChallenge(r, client); challenge != nil {
		offer(paOTPChallenge, challenge)
	} else if !r.option(requestAnonymous) {
		if r.armor != nil {
			offer(paEncChallenge, []byte{})
		}
		if len(k.groups) > 0 {
			offer(paSPAKE, []byte{})
		}
		if r.armor == nil && !k.opt.NoTimestamp {
			offer(patype.PA_ENC_TIMESTAMP, []byte{})
		}
	}
	if k.opt.FAST && r.armor == nil {
		offer(paFXFast, []byte{})
	}
	hints, err := etypeInfo(info)
	return append(list, hints...), err
}
