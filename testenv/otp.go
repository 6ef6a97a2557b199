package testenv

import (
	"crypto/rand"
	"slices"
	"strings"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	paOTPChallenge = 141
	paOTPRequest   = 142
	usageOTP       = 45
)

type otpChallenge struct {
	Nonce   []byte         `asn1:"tag:0"`
	Service string         `asn1:"utf8,optional,tag:1"`
	Tokens  []otpTokenInfo `asn1:"tag:2"`
}

type otpTokenInfo struct {
	Flags  asn1.BitString `asn1:"tag:0"`
	Vendor string         `asn1:"utf8,optional,tag:1"`
	Length int            `asn1:"optional,tag:3"`
}

type otpRequest struct {
	Flags  asn1.BitString      `asn1:"tag:0"`
	Nonce  []byte              `asn1:"optional,tag:1"`
	Enc    types.EncryptedData `asn1:"tag:2"`
	Value  []byte              `asn1:"optional,tag:5"`
	PIN    string              `asn1:"utf8,optional,tag:6"`
	Vendor string              `asn1:"utf8,optional,tag:13"`
}

type otpEncRequest struct {
	Nonce []byte `asn1:"tag:0"`
}

// SetOTP gives a user one-time passwords, each good for one login (RFC 6560), in
// place of the password; none takes them away. The KDC asks for them under the
// armor of FAST alone, so that the user cannot log in otherwise. With a pin,
// that is asked for too and goes in front of the value.
func (k *KDC) SetOTP(user, pin string, values ...string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tokens == nil {
		k.tokens = make(map[string]*token)
	}
	if len(values) == 0 {
		delete(k.tokens, dbKey(k.split(user)))
		return
	}
	k.tokens[dbKey(k.split(user))] = &token{pin: pin, values: slices.Clone(values)}
}

// token is what SetOTP has set. The KDC's lock guards it.
type token struct {
	pin    string
	values []string
}

// otpChallenge is the challenge for a user that has a token, or nil.
func (k *KDC) otpChallenge(r *request, client *entry) []byte {
	k.mu.Lock()
	t := k.tokens[dbKey(client.name)]
	if t == nil {
		k.mu.Unlock()
		return nil
	}
	length, pin := len(t.values[0]), t.pin
	k.mu.Unlock()
	if r.armor == nil {
		return []byte{} // a hint that armor is needed
	}
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	info := otpTokenInfo{Flags: bits(), Vendor: "testenv", Length: length}
	if pin != "" {
		info.Flags = bits(3) // collect-pin
	}
	b, err := asn1.Marshal(otpChallenge{Nonce: nonce, Service: k.realm, Tokens: []otpTokenInfo{info}})
	if err != nil {
		return nil
	}
	return b
}

// otp verifies a one-time password. The reply key is the armor key.
func (k *KDC) otp(r *request, client *entry, value []byte) (*proof, error) {
	refused := &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED}
	var req otpRequest
	if r.armor == nil {
		return nil, refused
	}
	if rest, err := asn1.Unmarshal(value, &req); err != nil || len(rest) > 0 {
		return nil, refused
	}
	plain, err := open(r.armor.key, usageOTP, req.Enc)
	var inner otpEncRequest
	if err != nil {
		return nil, refused
	}
	if rest, err := asn1.Unmarshal(plain, &inner); err != nil || len(rest) > 0 || len(inner.Nonce) != 16 {
		return nil, refused
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.tokens[dbKey(client.name)]
	if t == nil {
		return nil, refused
	}
	given, ok := strings.CutPrefix(string(req.Value), t.pin)
	i := slices.Index(t.values, given)
	if !ok || i < 0 || given == "" {
		return nil, refused
	}
	if t.values = slices.Delete(t.values, i, i+1); len(t.values) == 0 {
		t.values = []string{""} // used up: no value is empty
	}
	return &proof{key: r.armor.key}, nil
}
