package wire

import (
	"bytes"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/test/testdata"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// TestGoldenMIT reads what MIT's encoder wrote (src/tests/asn.1 of krb5, as
// gokrb5 carries it) and writes the same bytes.
func TestGoldenMIT(t *testing.T) {
	for _, tt := range []struct{ typ, hex string }{
		{"Authenticator", testdata.MarshaledKRB5authenticator},
		{"Authenticator", testdata.MarshaledKRB5authenticatorOptionalsEmpty},
		{"Authenticator", testdata.MarshaledKRB5authenticatorOptionalsNULL},
		{"Ticket", testdata.MarshaledKRB5ticket},
		{"EncTicketPart", testdata.MarshaledKRB5enc_tkt_part},
		{"EncTicketPart", testdata.MarshaledKRB5enc_tkt_partOptionalsNULL},
		{"EncKDCRepPart", testdata.MarshaledKRB5enc_kdc_rep_part},
		{"EncKDCRepPart", testdata.MarshaledKRB5enc_kdc_rep_partOptionalsNULL},
		{"KDCRep", testdata.MarshaledKRB5as_rep},
		{"KDCRep", testdata.MarshaledKRB5as_repOptionalsNULL},
		{"KDCRep", testdata.MarshaledKRB5tgs_rep},
		{"KDCRep", testdata.MarshaledKRB5tgs_repOptionalsNULL},
		{"APReq", testdata.MarshaledKRB5ap_req},
		{"APRep", testdata.MarshaledKRB5ap_rep},
		{"EncAPRepPart", testdata.MarshaledKRB5ap_rep_enc_part},
		{"EncAPRepPart", testdata.MarshaledKRB5ap_rep_enc_partOptionalsNULL},
		{"KDCReq", testdata.MarshaledKRB5as_req},
		{"KDCReq", testdata.MarshaledKRB5as_reqOptionalsNULLexceptsecond_ticket},
		{"KDCReq", testdata.MarshaledKRB5as_reqOptionalsNULLexceptserver},
		{"KDCReq", testdata.MarshaledKRB5tgs_req},
		{"KDCReq", testdata.MarshaledKRB5tgs_reqOptionalsNULLexceptsecond_ticket},
		{"KDCReq", testdata.MarshaledKRB5tgs_reqOptionalsNULLexceptserver},
		{"KRBCred", testdata.MarshaledKRB5cred},
		{"EncKrbCredPart", testdata.MarshaledKRB5enc_cred_part},
		{"EncKrbCredPart", testdata.MarshaledKRB5enc_cred_partOptionalsNULL},
		{"KRBError", testdata.MarshaledKRB5error},
		{"AuthzData", testdata.MarshaledKRB5authorization_data},
		{"MethodData", testdata.MarshaledKRB5padata_sequence},
		{"MethodData", testdata.MarshaledKRB5padataSequenceEmpty},
		{"ETypeInfo", testdata.MarshaledKRB5etype_info},
		{"ETypeInfo", testdata.MarshaledKRB5etype_infoOnly1},
		{"ETypeInfo", testdata.MarshaledKRB5etype_infoNoInfo},
		{"ETypeInfo2", testdata.MarshaledKRB5etype_info2},
		{"ETypeInfo2", testdata.MarshaledKRB5etype_info2Only1},
		{"PAEncTS", testdata.MarshaledKRB5pa_enc_ts},
		{"EncryptedData", testdata.MarshaledKRB5enc_data},
		{"EncryptedData", testdata.MarshaledKRB5enc_dataMSBSetkvno},
		{"EncryptedData", testdata.MarshaledKRB5enc_dataKVNONegOne},
	} {
		b := unhex(t, tt.hex)
		_, again, err := codecOf(tt.typ).recode(b)
		require.NoError(t, err, "%s %s", tt.typ, tt.hex)
		require.Equal(t, b, again, tt.typ)
	}
}

// TestGoldenMITLenient has the encodings of MIT that are not ours.
func TestGoldenMITLenient(t *testing.T) {
	for _, tt := range []struct{ typ, hex string }{
		{"KRBError", testdata.MarshaledKRB5errorOptionalsNULL},
		{"PAEncTS", testdata.MarshaledKRB5pa_enc_tsNoUsec},
	} {
		b := unhex(t, tt.hex)
		_, again, err := codecOf(tt.typ).recode(b)
		require.NoError(t, err)
		require.NotEqual(t, b, again)
		checkMalleability(t, codecOf(tt.typ), b)
		listed := false
		for _, f := range lenientFiles(t) {
			listed = listed || f.typ == tt.typ && bytes.Equal(f.in, b)
		}
		require.True(t, listed, "%s is not in testdata/lenient", tt.hex)
	}
}

// TestGoldenValues checks that the fields mean what MIT's test program put in.
func TestGoldenValues(t *testing.T) {
	name := principal.Name{Type: 1, Realm: "ATHENA.MIT.EDU", Components: []string{"hftsai", "extra"}}
	when := time.Date(1994, 6, 10, 6, 3, 17, 0, time.UTC)
	whenMicro := when.Add(123456 * time.Microsecond)
	enc := EncryptedData{0, 5, []byte("krbASN.1 test message")}
	des := EncryptionKey{1, []byte("12345678")}
	host := HostAddress{AddrIPv4, []byte{18, 208, 0, 35}}
	datum := AuthzDatum{1, []byte("foobar")}
	pa := PAData{13, []byte("pa-data")}
	tkt := Ticket{Server: name, Enc: enc}

	get := func(typ, hex string) any {
		v, _, err := codecOf(typ).recode(unhex(t, hex))
		require.NoError(t, err)
		return v
	}
	require.Equal(t, &Authenticator{name, &Checksum{1, []byte("1234")}, whenMicro, &des, 17, true, []AuthzDatum{datum, datum}},
		get("Authenticator", testdata.MarshaledKRB5authenticator))
	require.Equal(t, &Authenticator{Client: name, Time: whenMicro},
		get("Authenticator", testdata.MarshaledKRB5authenticatorOptionalsNULL))
	require.Equal(t, &tkt, get("Ticket", testdata.MarshaledKRB5ticket))
	require.Equal(t, &EncTicketPart{
		0xfedcba98, des, name, 1, []byte("EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS."), when, when, when, when,
		[]HostAddress{host, host}, []AuthzDatum{datum, datum},
	}, get("EncTicketPart", testdata.MarshaledKRB5enc_tkt_part))
	require.Equal(t, &EncKDCRepPart{
		MsgTGSRep, des, []LastReq{{-5, when}, {-5, when}}, 42, when, 0xfedcba98, when, when, when, when, name, []HostAddress{host, host}, nil,
	}, get("EncKDCRepPart", testdata.MarshaledKRB5enc_kdc_rep_part))
	require.Equal(t, &KDCRep{MsgASRep, []PAData{pa, pa}, name, tkt, enc}, get("KDCRep", testdata.MarshaledKRB5as_rep))
	require.Equal(t, &APReq{0xfedcba98, tkt, enc}, get("APReq", testdata.MarshaledKRB5ap_req))
	require.Equal(t, &APRep{enc}, get("APRep", testdata.MarshaledKRB5ap_rep))
	require.Equal(t, &EncAPRepPart{whenMicro, &des, 17, true}, get("EncAPRepPart", testdata.MarshaledKRB5ap_rep_enc_part))
	require.Equal(t, &KDCReq{MsgTGSReq, []PAData{pa, pa}, KDCReqBody{
		0xfedcba90, name.WithRealm(""), name.Realm, name, when, when, when, 42, []etype.ID{0, 1}, []HostAddress{host, host}, &enc, []Ticket{tkt, tkt}, nil,
	}}, get("KDCReq", testdata.MarshaledKRB5tgs_req))
	require.Equal(t, &KRBCred{[]Ticket{tkt, tkt}, enc}, get("KRBCred", testdata.MarshaledKRB5cred))
	info := KrbCredInfo{des, name, 0xfedcba98, true, when, when, when, when, name, []HostAddress{host, host}}
	require.Equal(t, &EncKrbCredPart{[]KrbCredInfo{info, info}, 42, true, whenMicro, &host, &host},
		get("EncKrbCredPart", testdata.MarshaledKRB5enc_cred_part))
	require.Equal(t, &EncKrbCredPart{TicketInfo: []KrbCredInfo{{Key: des}, info}},
		get("EncKrbCredPart", testdata.MarshaledKRB5enc_cred_partOptionalsNULL))
	require.Equal(t, &KRBError{whenMicro, whenMicro, 60, name, name, "krb5data", []byte("krb5data")},
		get("KRBError", testdata.MarshaledKRB5error))
	require.Equal(t, &KRBError{STime: whenMicro, Code: 60, Server: name}, get("KRBError", testdata.MarshaledKRB5errorOptionalsNULL))
	require.Equal(t, []ETypeInfoEntry{{0, []byte("Morton's #0")}, {1, nil}, {2, []byte("Morton's #2")}},
		get("ETypeInfo", testdata.MarshaledKRB5etype_info))
	require.Equal(t, []ETypeInfo2Entry{
		{0, ptr("Morton's #0"), []byte("s2k: 0")}, {1, nil, []byte("s2k: 1")}, {2, ptr("Morton's #2"), []byte("s2k: 2")},
	}, get("ETypeInfo2", testdata.MarshaledKRB5etype_info2))
	require.Equal(t, &PAEncTS{whenMicro}, get("PAEncTS", testdata.MarshaledKRB5pa_enc_ts))
	require.Equal(t, uint32(0xff000000), get("EncryptedData", testdata.MarshaledKRB5enc_dataMSBSetkvno).(*EncryptedData).Kvno)
	require.Equal(t, uint32(0xffffffff), get("EncryptedData", testdata.MarshaledKRB5enc_dataKVNONegOne).(*EncryptedData).Kvno)
}

// TestEtypeListBytes is written down by hand: RFC 4537 §3 has no example.
func TestEtypeListBytes(t *testing.T) {
	require.Equal(t, unhex(t, "3006"+"020112"+"020117"), AppendETypeList(nil, []etype.ID{18, 23}))
	require.Equal(t, unhex(t, "3004"+"0202ff77"), AppendETypeList(nil, []etype.ID{-137}))
}
