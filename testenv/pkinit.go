package testenv

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"math/big"
	"time"

	krbasn1 "github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	paPKASReq     = 16
	paPKASRep     = 17
	paPKInitKX    = 147
	paASFreshness = 150

	errClientNotTrusted = 62
	errInvalidSig       = 64
	errDHParameters     = 65
	errNameMismatch     = 75
	errPreauthExpired   = 90
	errNoKDF            = 100
	tdDHParameters      = 109
	usagePKInitKX       = 44
)

var (
	oidSignedData = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}
	oidAuthData   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 1}
	oidDHKeyData  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 2}
	oidSHA256     = asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 2, 1}
	oidECSHA256   = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
	oidKDFSHA256  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 6, 2}
	oidDH         = asn1.ObjectIdentifier{1, 2, 840, 10046, 2, 1}
	oidEC         = asn1.ObjectIdentifier{1, 2, 840, 10045, 2, 1}
	oidDigestAttr = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 4}
	oidTypeAttr   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 3}

	oidP256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 3, 1, 7}
	curves  = map[string]ecdh.Curve{
		oidP256.String(): ecdh.P256(), "1.3.132.0.34": ecdh.P384(), "1.3.132.0.35": ecdh.P521(),
	}
	signatures = map[string]x509.SignatureAlgorithm{
		"1.2.840.113549.1.1.11": x509.SHA256WithRSA, "1.2.840.113549.1.1.12": x509.SHA384WithRSA, "1.2.840.113549.1.1.13": x509.SHA512WithRSA,
		"1.2.840.10045.4.3.2": x509.ECDSAWithSHA256, "1.2.840.10045.4.3.3": x509.ECDSAWithSHA384, "1.2.840.10045.4.3.4": x509.ECDSAWithSHA512,
	}
	digests = map[string]crypto.Hash{
		oidSHA256.String(): crypto.SHA256, "2.16.840.1.101.3.4.2.2": crypto.SHA384, "2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
)

type contentInfo struct {
	Type    asn1.ObjectIdentifier
	Content signedData `asn1:"explicit,tag:0"`
}

type signedData struct {
	Version int
	Digests []pkix.AlgorithmIdentifier `asn1:"set"`
	Encap   encapContent
	Certs   asn1.RawValue `asn1:"optional,tag:0"`
	Signers []signerInfo  `asn1:"set"`
}

type encapContent struct {
	Type    asn1.ObjectIdentifier
	Content []byte `asn1:"explicit,tag:0"`
}

type signerInfo struct {
	Version int
	SID     struct {
		Issuer asn1.RawValue
		Serial *big.Int
	}
	Digest    pkix.AlgorithmIdentifier
	Attrs     asn1.RawValue `asn1:"optional,tag:0"`
	Algorithm pkix.AlgorithmIdentifier
	Signature []byte
}

type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

type authPack struct {
	PK struct {
		Usec      int       `asn1:"explicit,tag:0"`
		Time      time.Time `asn1:"explicit,generalized,tag:1"`
		Nonce     int64     `asn1:"explicit,tag:2"`
		Checksum  []byte    `asn1:"explicit,optional,tag:3"`
		Freshness []byte    `asn1:"explicit,optional,tag:4"`
	} `asn1:"explicit,tag:0"`
	Public struct {
		Algorithm pkix.AlgorithmIdentifier
		Key       asn1.BitString
	} `asn1:"explicit,tag:1"`
	CMSTypes []pkix.AlgorithmIdentifier `asn1:"explicit,optional,tag:2"`
	DHNonce  []byte                     `asn1:"explicit,optional,tag:3"`
	KDFs     []kdfID                    `asn1:"explicit,optional,tag:4"`
}

type kdfID struct {
	ID asn1.ObjectIdentifier `asn1:"explicit,tag:0"`
}

type dhParameters struct{ P, G, Q *big.Int }

type kdcDHKeyInfo struct {
	Public asn1.BitString `asn1:"explicit,tag:0"`
	Nonce  int64          `asn1:"explicit,tag:1"`
}

type dhRepInfo struct {
	Signed []byte `asn1:"tag:0"`
	KDF    kdfID  `asn1:"explicit,optional,tag:2"`
}

// pkinit is the KDC's side of PKINIT with key agreement (RFC 4556, RFC 8062, RFC
// 8636).
func (k *KDC) pkinit(r *request, client *entry, id int32, value []byte, now time.Time) (*proof, error) {
	bad := &failure{code: errInvalidSig}
	var req struct {
		Signed []byte `asn1:"tag:0"`
	}
	if rest, err := asn1.Unmarshal(value, &req); err != nil || len(rest) > 0 {
		return nil, bad
	}
	var ci contentInfo
	if rest, err := asn1.Unmarshal(req.Signed, &ci); err != nil || len(rest) > 0 || !ci.Type.Equal(oidSignedData) || !ci.Content.Encap.Type.Equal(oidAuthData) {
		return nil, bad
	}
	if r.option(requestAnonymous) {
		if len(ci.Content.Signers) != 0 {
			return nil, bad
		}
	} else if err := k.pki.verify(&ci.Content, k.realm, client, now); err != nil {
		return nil, err
	}
	var pack authPack
	if rest, err := asn1.Unmarshal(ci.Content.Encap.Content, &pack); err != nil || len(rest) > 0 {
		return nil, &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED, text: "malformed AuthPack"}
	}
	sum := sha1.Sum(r.RawBody)
	switch {
	case pack.PK.Time.Sub(now).Abs() > k.opt.ClockSkew:
		return nil, &failure{code: errorcode.KRB_AP_ERR_SKEW}
	case !bytes.Equal(sum[:], pack.PK.Checksum):
		return nil, &failure{code: errorcode.KRB_AP_ERR_MODIFIED}
	case pack.PK.Freshness != nil && !bytes.Equal(pack.PK.Freshness, k.freshness()), pack.PK.Freshness == nil && k.opt.Freshness:
		return nil, &failure{code: errPreauthExpired}
	}
	public, secret, err := k.agree(&pack)
	if err != nil {
		return nil, err
	}
	if len(pack.KDFs) > 0 && !containsKDF(pack.KDFs) {
		return nil, &failure{code: errNoKDF}
	}
	info, err := asn1.Marshal(kdcDHKeyInfo{asn1.BitString{Bytes: public, BitLength: 8 * len(public)}, pack.PK.Nonce})
	if err != nil {
		return nil, err
	}
	rep := dhRepInfo{}
	if rep.Signed, err = k.pki.sign(info); err != nil {
		return nil, err
	}
	agile := len(pack.KDFs) > 0
	if agile {
		rep.KDF = kdfID{oidKDFSHA256}
	}
	inner, err := asn1.Marshal(rep)
	if err != nil {
		return nil, err
	}
	answer, err := asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: inner})
	if err != nil {
		return nil, err
	}
	key := types.EncryptionKey{KeyType: id}
	if agile {
		key.KeyValue, err = k.agileKey(r, id, secret, answer)
	} else {
		for counter := byte(0); len(key.KeyValue) < profiles[id].keySize; counter++ {
			sum := sha1.Sum(append([]byte{counter}, secret...))
			key.KeyValue = append(key.KeyValue, sum[:]...)
		}
		key.KeyValue = key.KeyValue[:profiles[id].keySize]
	}
	p := &proof{key: key, padata: types.PADataSequence{{PADataType: paPKASRep, PADataValue: answer}}}
	if r.option(requestAnonymous) {
		p.session = func(id int32) (types.EncryptionKey, types.PADataSequence, error) { return keyExchange(key, id) }
	}
	return p, err
}

func containsKDF(list []kdfID) bool {
	for _, k := range list {
		if k.ID.Equal(oidKDFSHA256) {
			return true
		}
	}
	return false
}

// keyExchange makes the session key of two (RFC 8062 §4.3).
func keyExchange(reply types.EncryptionKey, id int32) (types.EncryptionKey, types.PADataSequence, error) {
	mine := randomKey(id)
	session, err := cf2(mine, reply, "PKINIT", "KEYEXCHANGE")
	if err != nil {
		return session, nil, err
	}
	plain, err := krbasn1.Marshal(mine)
	if err != nil {
		return session, nil, err
	}
	enc, err := seal(reply, usagePKInitKX, 0, plain)
	if err != nil {
		return session, nil, err
	}
	value, err := krbasn1.Marshal(enc)
	return session, types.PADataSequence{{PADataType: paPKInitKX, PADataValue: value}}, err
}

// agree does the KDC's part of the key agreement in the client's group, unless
// Options.PKINITGroup is another one.
func (k *KDC) agree(pack *authPack) (public, secret []byte, err error) {
	refused := k.refuseGroup()
	alg := pack.Public.Algorithm
	switch {
	case alg.Algorithm.Equal(oidEC):
		var name asn1.ObjectIdentifier
		if _, err := asn1.Unmarshal(alg.Parameters.FullBytes, &name); err != nil || curves[name.String()] == nil {
			return nil, nil, refused
		}
		if k.opt.PKINITGroup != "" && (k.opt.PKINITGroup != "P-256" || !name.Equal(oidP256)) {
			return nil, nil, refused
		}
		curve := curves[name.String()]
		peer, err := curve.NewPublicKey(pack.Public.Key.Bytes)
		if err != nil {
			return nil, nil, refused
		}
		own, err := curve.GenerateKey(rand.Reader)
		if err != nil {
			return nil, nil, err
		}
		secret, err = own.ECDH(peer)
		return own.PublicKey().Bytes(), secret, err
	case alg.Algorithm.Equal(oidDH) && k.opt.PKINITGroup == "":
		var p dhParameters
		y := new(big.Int)
		if _, err := asn1.Unmarshal(alg.Parameters.FullBytes, &p); err != nil || p.P.BitLen() < 2048 || p.P.BitLen() > 8192 ||
			p.G.Cmp(big.NewInt(2)) != 0 || new(big.Int).Rsh(p.P, 1).Cmp(p.Q) != 0 {
			return nil, nil, refused
		}
		if rest, err := asn1.Unmarshal(pack.Public.Key.Bytes, &y); err != nil || len(rest) > 0 || y.Cmp(big.NewInt(1)) <= 0 || y.Cmp(p.P) >= 0 {
			return nil, nil, refused
		}
		x, err := rand.Int(rand.Reader, p.Q)
		if err != nil {
			return nil, nil, err
		}
		if public, err = asn1.Marshal(new(big.Int).Exp(p.G, x, p.P)); err != nil {
			return nil, nil, err
		}
		return public, new(big.Int).Exp(y, x, p.P).FillBytes(make([]byte, (p.P.BitLen()+7)/8)), nil
	}
	return nil, nil, refused
}

// refuseGroup names the curve that is accepted (RFC 4556 §3.1.5).
func (k *KDC) refuseGroup() error {
	name, err := asn1.Marshal(oidP256)
	if err != nil {
		return err
	}
	list, err := asn1.Marshal([]pkix.AlgorithmIdentifier{{Algorithm: oidEC, Parameters: asn1.RawValue{FullBytes: name}}})
	if err != nil {
		return err
	}
	type typedData struct {
		Type  int32  `asn1:"explicit,tag:0"`
		Value []byte `asn1:"explicit,tag:1"`
	}
	data, err := asn1.Marshal([]typedData{{tdDHParameters, list}})
	if err != nil {
		return err
	}
	return &failure{code: errDHParameters, data: data, typed: true}
}

// agileKey is the key derivation of RFC 8636 §4 with SHA-256.
func (k *KDC) agileKey(r *request, id int32, secret, reply []byte) ([]byte, error) {
	type name struct {
		Realm string              `asn1:"generalstring,explicit,tag:0"`
		Name  types.PrincipalName `asn1:"explicit,tag:1"`
	}
	client := name{r.Body.Realm, r.Body.CName}
	if r.option(requestAnonymous) {
		client = name{anonymousRealm, anonymousName}
	}
	u, err := krbasn1.Marshal(client)
	if err != nil {
		return nil, err
	}
	v, err := krbasn1.Marshal(name{r.Body.Realm, r.Body.SName})
	if err != nil {
		return nil, err
	}
	supp, err := asn1.Marshal(struct {
		Etype int32  `asn1:"explicit,tag:0"`
		Req   []byte `asn1:"explicit,tag:1"`
		Reply []byte `asn1:"explicit,tag:2"`
	}{id, r.Raw, reply})
	if err != nil {
		return nil, err
	}
	info, err := asn1.Marshal(struct {
		Algorithm pkix.AlgorithmIdentifier
		U         []byte `asn1:"explicit,tag:0"`
		V         []byte `asn1:"explicit,tag:1"`
		Supp      []byte `asn1:"explicit,tag:2"`
	}{pkix.AlgorithmIdentifier{Algorithm: oidKDFSHA256}, u, v, supp})
	if err != nil {
		return nil, err
	}
	var key []byte
	for counter := uint32(1); len(key) < profiles[id].keySize; counter++ {
		h := sha256.New()
		h.Write(binary.BigEndian.AppendUint32(nil, counter))
		h.Write(secret)
		h.Write(info)
		key = h.Sum(key)
	}
	return key[:profiles[id].keySize], nil
}

// freshness is the token that proves that a signature is not an old one (RFC
// 8070).
func (k *KDC) freshness() []byte { return k.pki.token }

// ecdsaKey makes a key; it cannot fail with the system's random numbers.
func ecdsaKey() (*ecdsa.PrivateKey, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) }
