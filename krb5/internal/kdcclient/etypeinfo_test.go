package kdcclient

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

func info2(entries ...wire.ETypeInfo2Entry) wire.PAData {
	return wire.PAData{Type: wire.PAETypeInfo2, Value: wire.AppendETypeInfo2(nil, entries)}
}

func entry(id etype.ID, salt string) wire.ETypeInfo2Entry {
	return wire.ETypeInfo2Entry{Etype: id, Salt: &salt}
}

// TestSalt: where the salt comes from, for the proof and for the reply.
func TestSalt(t *testing.T) {
	const salt = "a salt"
	pw := wire.PAData{Type: wire.PAPWSalt, Value: []byte(salt)}
	other := wire.PAData{Type: wire.PAPWSalt, Value: []byte("other")}
	info := wire.PAData{Type: wire.PAETypeInfo, Value: wire.AppendETypeInfo(nil, []wire.ETypeInfoEntry{{Etype: 18, Salt: []byte(salt)}})}
	infoOther := wire.PAData{Type: wire.PAETypeInfo, Value: wire.AppendETypeInfo(nil, []wire.ETypeInfoEntry{{Etype: 18, Salt: []byte("other")}})}
	for _, tt := range []struct {
		name  string
		salt  string
		md    []wire.PAData
		proof etype.ID
	}{
		{"none", alice.Salt(), nil, 18},
		{"PW-SALT", salt, []wire.PAData{pw}, 18},
		{"ETYPE-INFO", salt, []wire.PAData{other, info}, 18},
		{"ETYPE-INFO without salt", alice.Salt(), []wire.PAData{{Type: wire.PAETypeInfo, Value: wire.AppendETypeInfo(nil, []wire.ETypeInfoEntry{{Etype: 17}})}}, 17},
		{"ETYPE-INFO2", salt, []wire.PAData{other, infoOther, info2(entry(18, salt))}, 18},
		{"ETYPE-INFO2 without salt", alice.Salt(), []wire.PAData{info2(wire.ETypeInfo2Entry{Etype: 17})}, 17},
		{"ETYPE-INFO2 with an empty salt", "", []wire.PAData{info2(entry(20, ""))}, 20},
		{"a list with foreign types", salt, []wire.PAData{info2(entry(23, "x"), entry(3, "y"), entry(19, salt))}, 19},
		{"a type twice", salt, []wire.PAData{info2(entry(18, salt), entry(18, "later"))}, 18},
		{"parameters", salt, []wire.PAData{info2(wire.ETypeInfo2Entry{Etype: 17, Salt: ptr(salt), Params: []byte{0, 0, 0x10, 0}})}, 17},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.salt = tt.salt
			k.methodData = func() []wire.PAData { return append(tt.md, wire.PAData{Type: wire.PAEncTimestamp}) }
			// The reply says nothing more: what counted for the proof counts.
			k.part = func(rep *wire.KDCRep, _ *wire.EncKDCRepPart) { rep.PAData = nil }
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.NoError(t, err)
			require.Equal(t, tt.proof, proofType(t, k.last()))
			require.Equal(t, 1, k.proofs)
		})
		t.Run("reply/"+tt.name, func(t *testing.T) {
			k := newKDC(t)
			k.salt, k.preauth, k.etypes = tt.salt, false, []etype.ID{tt.proof}
			k.part = func(rep *wire.KDCRep, _ *wire.EncKDCRepPart) { rep.PAData = tt.md }
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.NoError(t, err)
		})
	}
	t.Run("a list in the reply that leaves the type out", func(t *testing.T) {
		k := newKDC(t)
		k.part = func(rep *wire.KDCRep, _ *wire.EncKDCRepPart) { rep.PAData = []wire.PAData{info2(entry(17, "x"))} }
		for _, preauth := range []bool{false, true} {
			k.preauth = preauth
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.NoError(t, err)
		}
	})
}

func ptr[T any](v T) *T { return &v }

func TestBadEtypeInfo(t *testing.T) {
	iterations := func(n uint32) wire.PAData {
		return info2(wire.ETypeInfo2Entry{Etype: 18, Params: binary.BigEndian.AppendUint32(nil, n)})
	}
	for _, tt := range []struct {
		name string
		pa   wire.PAData
		is   krberr.Code
	}{
		{"empty ETYPE-INFO2", info2(), krberr.KDCRepModified},
		{"empty ETYPE-INFO", wire.PAData{Type: wire.PAETypeInfo, Value: wire.AppendETypeInfo(nil, nil)}, krberr.KDCRepModified},
		{"no bytes", wire.PAData{Type: wire.PAETypeInfo2, Value: []byte{}}, krberr.KDCRepModified},
		{"garbage", wire.PAData{Type: wire.PAETypeInfo2, Value: []byte("garbage")}, krberr.KDCRepModified},
		{"garbage ETYPE-INFO", wire.PAData{Type: wire.PAETypeInfo, Value: []byte("garbage")}, krberr.KDCRepModified},
		{"foreign types only", info2(entry(23, "x")), krberr.ProgEtypeNosupp},
		{"2^32-1 iterations", iterations(1<<32 - 1), krberr.BadS2KParams},
		{"2^24 iterations", iterations(1 << 24), krberr.BadS2KParams},
		{"one iteration", iterations(1), krberr.BadS2KParams},
		{"0 iterations", iterations(0), krberr.BadS2KParams},
		{"three bytes of parameters", info2(wire.ETypeInfo2Entry{Etype: 18, Params: []byte{0, 0, 1}}), krberr.BadS2KParams},
	} {
		t.Run(tt.name, func(t *testing.T) {
			begin := time.Now()
			k := newKDC(t)
			k.methodData = func() []wire.PAData { return []wire.PAData{tt.pa, {Type: wire.PAEncTimestamp}} }
			_, err := newClient(t, k, "").Login(t.Context(), byPassword(password))
			require.ErrorIs(t, err, tt.is)
			require.Zero(t, k.proofs)

			k = newKDC(t)
			k.preauth = false
			k.part = func(rep *wire.KDCRep, _ *wire.EncKDCRepPart) { rep.PAData = []wire.PAData{tt.pa} }
			_, err = newClient(t, k, "").Login(t.Context(), byPassword(password))
			if tt.is == krberr.ProgEtypeNosupp {
				require.NoError(t, err) // advice about other types does not matter
			} else {
				require.ErrorIs(t, err, tt.is)
			}
			require.Less(t, time.Since(begin), 2*time.Second)
		})
	}
}
