package testenv

import (
	"encoding/binary"
	"math/big"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/types"
)

const (
	paSPAKE    = 151
	usageSPAKE = 65
)

type spakeSupport struct {
	Groups []int32 `asn1:"explicit,tag:0"`
}

type spakeFactor struct {
	Type int32  `asn1:"explicit,tag:0"`
	Data []byte `asn1:"explicit,optional,tag:1"`
}

type spakeChallenge struct {
	Group   int32         `asn1:"explicit,tag:0"`
	Public  []byte        `asn1:"explicit,tag:1"`
	Factors []spakeFactor `asn1:"explicit,tag:2"`
}

type spakeResponse struct {
	Public []byte              `asn1:"explicit,tag:0"`
	Factor types.EncryptedData `asn1:"explicit,tag:1"`
}

// spakeState is what the KDC remembers after its challenge.
type spakeState struct {
	group              *spakeGroup
	x                  *big.Int
	w                  []byte
	support, challenge []byte
	key                types.EncryptionKey
	client             *entry
}

// spake is the KDC's side of SPAKE (RFC 9588 §4): a challenge for a list of
// groups, and the reply key for a response.
func (k *KDC) spake(r *request, client *entry, key types.EncryptionKey, value []byte, info types.ETypeInfo2) (*proof, error) {
	refused := &failure{code: errorcode.KDC_ERR_PREAUTH_FAILED}
	var support spakeSupport
	if rest, err := asn1.UnmarshalWithParams(value, &support, "explicit,tag:0"); err == nil && len(rest) == 0 {
		for _, id := range support.Groups {
			for _, g := range k.groups {
				if g.id == id {
					return nil, k.spakeChallenge(client, key, g, value, info)
				}
			}
		}
		return nil, refused
	}
	var resp spakeResponse
	if rest, err := asn1.UnmarshalWithParams(value, &resp, "explicit,tag:2"); err != nil || len(rest) > 0 {
		return nil, refused
	}
	s, ok := k.recall(r).(*spakeState)
	if !ok || s.client != client {
		return nil, refused
	}
	shared, ok := s.group.result(s.w, s.x, resp.Public)
	if !ok {
		return nil, refused
	}
	var derived [2]types.EncryptionKey
	for n := range derived {
		var err error
		if derived[n], err = s.derive(uint32(n), shared, resp.Public, r.RawBody); err != nil {
			return nil, err
		}
	}
	plain, err := open(derived[1], usageSPAKE, resp.Factor)
	var factor spakeFactor
	if err != nil {
		return nil, refused
	}
	if rest, err := asn1.Unmarshal(plain, &factor); err != nil || len(rest) > 0 || factor.Type != 1 {
		return nil, refused
	}
	return &proof{key: derived[0]}, nil
}

// derive returns the key K'[n] (RFC 9588 §7).
func (s *spakeState) derive(n uint32, shared, client, body []byte) (types.EncryptionKey, error) {
	digest := func(parts ...[]byte) []byte {
		h := s.group.hash()
		for _, p := range parts {
			h.Write(p)
		}
		return h.Sum(nil)
	}
	number := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	transcript := digest(make([]byte, s.group.hash().Size()), s.support, s.challenge)
	transcript = digest(transcript, client)
	derived := types.EncryptionKey{KeyType: s.key.KeyType}
	size := profiles[s.key.KeyType].keySize
	for block := byte(1); len(derived.KeyValue) < size; block++ {
		derived.KeyValue = append(derived.KeyValue, digest([]byte("SPAKEkey"), number(uint32(s.group.id)), number(uint32(s.key.KeyType)),
			s.w, shared, transcript, body, number(n), []byte{block})...)
	}
	derived.KeyValue = derived.KeyValue[:size]
	return cf2(s.key, derived, "SPAKE", "keyderiv")
}

// spakeChallenge is the error that carries the challenge.
func (k *KDC) spakeChallenge(client *entry, key types.EncryptionKey, g *spakeGroup, support []byte, info types.ETypeInfo2) error {
	s := &spakeState{group: g, support: support, key: key, client: client}
	var err error
	if s.w, err = prfPlus(key, binary.BigEndian.AppendUint32([]byte("SPAKEsecret"), uint32(g.id)), g.size); err != nil {
		return err
	}
	var public []byte
	if s.x, public, err = g.challenge(s.w); err != nil {
		return err
	}
	s.challenge, err = choice(1, spakeChallenge{g.id, public, []spakeFactor{{Type: 1}}})
	if err != nil {
		return err
	}
	hints, err := etypeInfo(info)
	if err != nil {
		return err
	}
	data, err := asn1.Marshal(append(types.PADataSequence{{PADataType: paSPAKE, PADataValue: s.challenge}, k.remember(s)}, hints...))
	if err != nil {
		return err
	}
	return &failure{code: errMorePreauth, data: data}
}
