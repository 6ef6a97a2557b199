package testenv

import (
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/iana/msgtype"
	"github.com/jcmturner/gokrb5/v8/iana/patype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// handleAS is the authentication service (RFC 4120 §3.1).
func (k *KDC) handleAS(r *request) ([]byte, error) {
	now := k.now()
	client := k.client(r.Body.CName, r.option(flags.Canonicalize))
	anonymous := r.option(requestAnonymous)
	if anonymous && (k.pki == nil || !equalName(r.Body.CName, anonymousName)) {
		return nil, &failure{code: errorcode.KDC_ERR_BADOPTION}
	}
	if client == nil {
		return nil, k.referClient(r)
	}
	server := k.server(r)
	if server == nil {
		return nil, &failure{code: errorcode.KDC_ERR_S_PRINCIPAL_UNKNOWN}
	}
	for _, refused := range []int{flags.RequestAnonymous, flags.EncTktInSkey, flags.Renew, flags.Validate, flags.Forwarded, flags.Proxy} {
		if r.option(refused) {
			return nil, &failure{code: errorcode.KDC_ERR_BADOPTION}
		}
	}
	key, info, ok := clientKey(client, r.Body.EType)
	if !ok {
		return nil, &failure{code: errorcode.KDC_ERR_ETYPE_NOSUPP}
	}

	g := &grant{server: server, sname: server.principal(r.Body.SName.NameType)}
	g.part = messages.EncTicketPart{
		Flags:    bits(flags.Initial),
		CRealm:   k.realm,
		CName:    client.principal(r.Body.CName.NameType),
		AuthTime: seconds(now),
		CAddr:    r.Body.Addresses,
	}
	if anonymous {
		g.part.CRealm, g.part.CName = anonymousRealm, anonymousName
		types.SetFlag(&g.part.Flags, requestAnonymous)
	}
	p, err := k.prove(r, client, key, now, info)
	if err != nil {
		return nil, err
	}
	if !k.opt.NoPreauth {
		types.SetFlag(&g.part.Flags, flags.PreAuthent)
	}
	g.session, g.padata = p.session, p.padata
	strengthen, key, err := r.armor.strengthen(p.key)
	if err != nil {
		return nil, err
	}
	for _, wanted := range []int{flags.Forwardable, flags.Proxiable} {
		if r.option(wanted) {
			types.SetFlag(&g.part.Flags, wanted)
		}
	}
	if server.okDelegate {
		types.SetFlag(&g.part.Flags, flags.OKAsDelegate)
	}
	if err := k.times(r, &g.part, now, limits{}, true); err != nil {
		return nil, err
	}

	// RFC 6806 §11: the client asked whether its request arrived unchanged.
	var encrypted types.PADataSequence
	if _, asked := r.padata(patype.PA_REQ_ENC_PA_REP); asked {
		sum, err := checksum(key, keyusage.KEY_USAGE_AS_REQ, r.Raw)
		if err != nil {
			return nil, err
		}
		value, err := asn1.Marshal(sum)
		if err != nil {
			return nil, err
		}
		encrypted = append(encrypted, types.PAData{PADataType: patype.PA_REQ_ENC_PA_REP, PADataValue: value})
		types.SetFlag(&g.part.Flags, flags.EncPARep)
	}

	encrypted = k.announce(&g.part, encrypted)

	ticket, err := k.issue(r, g)
	if err != nil {
		return nil, err
	}
	plain, err := k.encPart(r, g, asnAppTag.EncASRepPart, encrypted)
	if err != nil {
		return nil, err
	}
	enc, err := seal(key, keyusage.AS_REP_ENCPART, p.kvno, plain)
	if err != nil {
		return nil, err
	}
	chosen, err := etypeInfo(info[:1])
	if err != nil {
		return nil, err
	}
	if chosen, err = r.armor.reply(append(g.padata, chosen...), strengthen, &g.part, ticket, now); err != nil {
		return nil, err
	}
	crealm, cname := r.replyName(&g.part)
	rep := messages.ASRep{KDCRepFields: messages.KDCRepFields{
		PVNO: iana.PVNO, MsgType: msgtype.KRB_AS_REP, PAData: chosen,
		CRealm: crealm, CName: cname, Ticket: ticket, EncPart: enc,
	}}
	return rep.Marshal()
}

// clientKey returns the client's key of the first type in the request's list
// that it has, and for each such type, in that order, how the key is made.
func clientKey(client *entry, etypes []int32) (key types.EncryptionKey, info types.ETypeInfo2, ok bool) {
	set := client.newest()
	seen := make(map[int32]bool)
	for _, id := range etypes {
		if seen[id] {
			continue
		}
		seen[id] = true
		if !set.has(id) {
			continue
		}
		if !ok {
			if key, ok = set.key(id); !ok {
				continue
			}
		}
		e := types.ETypeInfo2Entry{EType: id, S2KParams: s2kparams(id, set.iterations)}
		if id != etypeID.RC4_HMAC { // has no salt (RFC 4757 §2)
			e.Salt = set.salt
		}
		info = append(info, e)
	}
	return key, info, ok
}

// timestamp verifies the encrypted timestamp (RFC 4120 §5.2.7.2).
func (k *KDC) timestamp(r *request, client *entry, reply types.EncryptionKey, now time.Time, hints types.PADataSequence) (*proof, error) {
	data, err := asn1.Marshal(hints)
	if err != nil {
		return nil, err
	}
	value, _ := r.padata(patype.PA_ENC_TIMESTAMP)
	refused := &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, data: data}
	var enc types.EncryptedData
	if rest, err := asn1.Unmarshal(value, &enc); err != nil || len(rest) > 0 {
		return nil, refused
	}
	set := client.version(enc.KVNO)
	if set == nil {
		return nil, refused
	}
	key, ok := set.key(enc.EType)
	if !ok {
		return nil, refused
	}
	plain, err := open(key, keyusage.AS_REQ_PA_ENC_TIMESTAMP, enc)
	if err != nil {
		return nil, refused
	}
	var stamp types.PAEncTSEnc
	if err := stamp.Unmarshal(plain); err != nil {
		return nil, refused
	}
	if stamp.PATimestamp.Sub(now).Abs() > k.opt.ClockSkew {
		return nil, &failure{code: errorcode.KRB_AP_ERR_SKEW}
	}
	return &proof{key: reply, kvno: client.newest().kvno}, nil
}

// etypeInfo is PA-ETYPE-INFO2 (RFC 4120 §5.2.7.5).
func etypeInfo(info types.ETypeInfo2) (types.PADataSequence, error) {
	b, err := asn1.Marshal(info)
	return types.PADataSequence{{PADataType: patype.PA_ETYPE_INFO2, PADataValue: b}}, err
}
