package testenv

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// Numbers of FAST and of what goes with it (RFC 6113 §7).
const (
	paFXCookie     = 133
	paFXFast       = 136
	paFXError      = 137
	paEncChallenge = 138

	usageFastReqSum   = 50
	usageFastReq      = 51
	usageFastRep      = 52
	usageFastFinished = 53

	errMorePreauth       = 91
	errUnknownFastOption = 93

	hideClientNames = 1 // FAST option
)

type fastArmoredReq struct {
	Armor    fastArmor           `asn1:"explicit,optional,tag:0"`
	Checksum types.Checksum      `asn1:"explicit,tag:1"`
	Enc      types.EncryptedData `asn1:"explicit,tag:2"`
}

type fastArmor struct {
	Type  int32  `asn1:"explicit,tag:0"`
	Value []byte `asn1:"explicit,tag:1"`
}

type fastReq struct {
	Options asn1.BitString       `asn1:"explicit,tag:0"`
	PAData  types.PADataSequence `asn1:"explicit,tag:1"`
	Body    asn1.RawValue        `asn1:"explicit,tag:2"`
}

type fastArmoredRep struct {
	Enc types.EncryptedData `asn1:"explicit,tag:0"`
}

type fastResponse struct {
	PAData     types.PADataSequence `asn1:"explicit,tag:0"`
	Strengthen types.EncryptionKey  `asn1:"explicit,optional,tag:1"`
	Finished   fastFinished         `asn1:"explicit,optional,tag:2"`
	Nonce      int64                `asn1:"explicit,tag:3"`
}

type fastFinished struct {
	Time     time.Time           `asn1:"generalized,explicit,tag:0"`
	Usec     int                 `asn1:"explicit,tag:1"`
	CRealm   string              `asn1:"generalstring,explicit,tag:2"`
	CName    types.PrincipalName `asn1:"explicit,tag:3"`
	Checksum types.Checksum      `asn1:"explicit,tag:4"`
}

// armor is what protects one request and its answer (RFC 6113 §5.4).
type armor struct {
	key   types.EncryptionKey
	nonce int64
	hide  bool
}

// unarmorAS opens the armor of an AS-REQ, if it has any: the request inside
// takes the place of the one around it.
func (k *KDC) unarmorAS(r *request, now time.Time) error {
	value, ok := r.padata(paFXFast)
	if !ok || !k.opt.FAST {
		return nil
	}
	req, err := parseArmored(value)
	if err != nil {
		return err
	}
	if req.Armor.Type != 1 {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "armor type"}
	}
	var ap messages.APReq
	if err := ap.Unmarshal(req.Armor.Value); err != nil {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "armor"}
	}
	// Armor from a realm that this one trusts does too.
	issuer, foreign := k.isTrusted(&ap.Ticket)
	if !foreign {
		if issuer = k.lookup(k.tgs().NameString); ap.Ticket.Realm != k.realm || !equalName(ap.Ticket.SName, k.tgs()) {
			return &failure{code: errorcode.KRB_AP_ERR_NOT_US}
		}
	}
	ticket, err := openWith(issuer, &ap.Ticket)
	if err != nil {
		return err
	}
	plain, err := open(ticket.Key, 11, ap.EncryptedAuthenticator)
	var auth types.Authenticator
	switch {
	case err != nil || auth.Unmarshal(plain) != nil:
		return &failure{code: errorcode.KRB_AP_ERR_BAD_INTEGRITY}
	case auth.CRealm != ticket.CRealm || !equalName(auth.CName, ticket.CName):
		return &failure{code: errorcode.KRB_AP_ERR_BADMATCH}
	case auth.CTime.Sub(now).Abs() > k.opt.ClockSkew:
		return &failure{code: errorcode.KRB_AP_ERR_SKEW}
	case !now.Before(ticket.EndTime):
		return &failure{code: errorcode.KRB_AP_ERR_TKT_EXPIRED}
	}
	key, err := cf2(auth.SubKey, ticket.Key, "subkeyarmor", "ticketarmor")
	if err != nil {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "subkey of the armor"}
	}
	return k.unarmor(r, req, key, r.RawBody)
}

// unarmorTGS does the same for a TGS-REQ, whose own authenticator makes the key.
func (k *KDC) unarmorTGS(r *request, session types.EncryptionKey, auth *types.Authenticator) error {
	value, ok := r.padata(paFXFast)
	if !ok || !k.opt.FAST {
		return nil
	}
	req, err := parseArmored(value)
	if err != nil {
		return err
	}
	ap, _ := r.padata(1)
	key, err := cf2(auth.SubKey, session, "subkeyarmor", "ticketarmor")
	if err != nil {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "no subkey"}
	}
	return k.unarmor(r, req, key, ap)
}

func parseArmored(value []byte) (*fastArmoredReq, error) {
	req := new(fastArmoredReq)
	if rest, err := asn1.UnmarshalWithParams(value, req, "explicit,tag:0"); err != nil || len(rest) > 0 {
		return nil, &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "malformed PA-FX-FAST"}
	}
	return req, nil
}

// unarmor verifies and opens the KrbFastReq.
func (k *KDC) unarmor(r *request, req *fastArmoredReq, key types.EncryptionKey, bound []byte) error {
	if !verify(key, usageFastReqSum, bound, req.Checksum) {
		return &failure{code: errorcode.KRB_AP_ERR_MODIFIED}
	}
	plain, err := open(key, usageFastReq, req.Enc)
	var inner fastReq
	if err != nil {
		return &failure{code: errorcode.KRB_AP_ERR_BAD_INTEGRITY}
	}
	if rest, err := asn1.Unmarshal(plain, &inner); err != nil || len(rest) > 0 {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "malformed KrbFastReq"}
	}
	var body reqBody
	if rest, err := asn1.Unmarshal(inner.Body.Bytes, &body); err != nil || len(rest) > 0 {
		return &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "malformed req-body"}
	}
	a := &armor{key: key, nonce: body.Nonce, hide: inner.Options.At(hideClientNames) != 0}
	for bit := range 16 {
		if bit != hideClientNames && inner.Options.At(bit) != 0 {
			return &failure{code: errUnknownFastOption}
		}
	}
	r.armor, r.PAData, r.Body, r.RawBody = a, inner.PAData, body, inner.Body.Bytes
	return nil
}

// seal returns PA-FX-FAST around a response.
func (a *armor) seal(resp fastResponse) (types.PADataSequence, error) {
	resp.Nonce = a.nonce
	if resp.PAData == nil {
		resp.PAData = types.PADataSequence{}
	}
	plain, err := asn1.Marshal(resp)
	if err != nil {
		return nil, err
	}
	enc, err := seal(a.key, usageFastRep, 0, plain)
	if err != nil {
		return nil, err
	}
	value, err := choice(0, fastArmoredRep{enc})
	return types.PADataSequence{{PADataType: paFXFast, PADataValue: value}}, err
}

// choice marshals an alternative of a CHOICE with explicit tags.
func choice(tag int, v any) ([]byte, error) {
	b, err := asn1.Marshal(v)
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: tag, IsCompound: true, Bytes: b})
}

// reply is the padata of a reply: what there is, under the armor if there is
// one, with the word that the ticket is the KDC's.
func (a *armor) reply(padata types.PADataSequence, strengthen types.EncryptionKey, part *messages.EncTicketPart, ticket messages.Ticket, now time.Time) (types.PADataSequence, error) {
	if a == nil {
		return padata, nil
	}
	b, err := ticket.Marshal()
	if err != nil {
		return nil, err
	}
	sum, err := checksum(a.key, usageFastFinished, b)
	if err != nil {
		return nil, err
	}
	return a.seal(fastResponse{PAData: padata, Strengthen: strengthen, Finished: fastFinished{
		Time: seconds(now), Usec: microseconds(now), CRealm: part.CRealm, CName: part.CName, Checksum: sum,
	}})
}

// strengthen makes a key that is not only the client's long-term one.
func (a *armor) strengthen(key types.EncryptionKey) (strengthen, reply types.EncryptionKey, err error) {
	if a == nil {
		return types.EncryptionKey{}, key, nil
	}
	strengthen = randomKey(key.KeyType)
	reply, err = cf2(strengthen, key, "strengthenkey", "replykey")
	return strengthen, reply, err
}

// error is the e-data of an error: the error itself and its METHOD-DATA, under
// the armor.
func (a *armor) error(inner []byte, methodData []byte) ([]byte, error) {
	padata := types.PADataSequence{{PADataType: paFXError, PADataValue: inner}}
	var more types.PADataSequence
	if len(methodData) > 0 {
		if _, err := asn1.Unmarshal(methodData, &more); err != nil {
			return nil, err
		}
	}
	outer, err := a.seal(fastResponse{PAData: append(padata, more...)})
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(outer)
}

// encChallenge verifies the encrypted challenge (RFC 6113 §5.4.6) and proves the
// KDC's own knowledge of the key.
func (k *KDC) encChallenge(r *request, client *entry, id int32, value []byte, now time.Time) (*proof, error) {
	refused := &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED}
	var enc types.EncryptedData
	if rest, err := asn1.Unmarshal(value, &enc); err != nil || len(rest) > 0 {
		return nil, refused
	}
	set := client.newest()
	key, ok := set.key(id)
	if !ok {
		return nil, refused
	}
	mine, err := cf2(r.armor.key, key, "clientchallengearmor", "challengelongterm")
	if err != nil {
		return nil, refused
	}
	plain, err := open(mine, 54, enc)
	var stamp types.PAEncTSEnc
	if err != nil || stamp.Unmarshal(plain) != nil {
		return nil, refused
	}
	if stamp.PATimestamp.Sub(now).Abs() > k.opt.ClockSkew {
		return nil, &failure{code: errorcode.KRB_AP_ERR_SKEW}
	}
	if mine, err = cf2(r.armor.key, key, "kdcchallengearmor", "challengelongterm"); err != nil {
		return nil, err
	}
	text, err := asn1.Marshal(types.PAEncTSEnc{PATimestamp: seconds(now), PAUSec: microseconds(now)})
	if err != nil {
		return nil, err
	}
	if enc, err = seal(mine, 55, 0, text); err != nil {
		return nil, err
	}
	answer, err := asn1.Marshal(enc)
	return &proof{key: key, kvno: set.kvno, padata: types.PADataSequence{{PADataType: paEncChallenge, PADataValue: answer}}}, err
}

// replyName is the client's name outside the armor.
func (r *request) replyName(part *messages.EncTicketPart) (string, types.PrincipalName) {
	if r.armor != nil && r.armor.hide {
		return anonymousRealm, anonymousName
	}
	return part.CRealm, part.CName
}

// announce says, where nobody can change it, that the KDC knows FAST.
func (k *KDC) announce(part *messages.EncTicketPart, encrypted types.PADataSequence) types.PADataSequence {
	if k.opt.FAST && part.Flags.At(flags.EncPARep) != 0 {
		encrypted = append(encrypted, types.PAData{PADataType: paFXFast, PADataValue: []byte{}})
	}
	return encrypted
}
