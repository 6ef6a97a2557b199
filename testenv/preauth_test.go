package testenv_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

// Types of padata.
const (
	paTimestamp = 2
	paPKINIT    = 16
	paETypeInfo = 19
	paFAST      = 136
	paOTP       = 141
	paSPAKE     = 151
)

func TestPreauthOffers(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    testenv.Options
		want []int32
	}{
		{"default", testenv.Options{}, []int32{paTimestamp, paETypeInfo}},
		{"FAST", testenv.Options{FAST: true}, []int32{paTimestamp, paFAST, paETypeInfo}},
		{"SPAKE", testenv.Options{SPAKE: []string{"P-256"}}, []int32{paSPAKE, paTimestamp, paETypeInfo}},
		{"no such group", testenv.Options{SPAKE: []string{"P-257"}}, []int32{paTimestamp, paETypeInfo}},
		{"SPAKE alone", testenv.Options{SPAKE: []string{"P-256"}, NoTimestamp: true}, []int32{paSPAKE, paETypeInfo}},
		{"PKINIT", testenv.Options{PKINIT: true}, []int32{paPKINIT, paTimestamp, paETypeInfo}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.o.NoListen = true
			k := newKDC(t, &tt.o)
			r := parse(t, exchange(t, k, asReq(t, body(18, tgs))), types.EncryptionKey{}, 0)
			list, _ := methodData(t, r.err)
			var got []int32
			for _, pa := range list {
				got = append(got, pa.PADataType)
			}
			require.Equal(t, tt.want, got)
		})
	}
	k := newKDC(t, &testenv.Options{NoListen: true, FAST: true})
	k.SetOTP("alice", "", "1")
	list, _ := methodData(t, parse(t, exchange(t, k, asReq(t, body(18, tgs))), types.EncryptionKey{}, 0).err)
	require.True(t, list.Contains(paOTP))
	require.False(t, list.Contains(paTimestamp))
}

// recorder keeps the requests of a client.
type recorder struct {
	*testenv.KDC
	sent [][]byte
}

func (r *recorder) Exchange(ctx context.Context, q *krb5.Request) ([]byte, error) {
	r.sent = append(r.sent, slices.Clone(q.Message))
	return r.KDC.Exchange(ctx, q)
}

// preauthSeeds logs in by every mechanism and returns the requests.
func preauthSeeds(t testing.TB, k *testenv.KDC) [][]byte {
	t.Helper()
	k.AddUser("bob", password)
	k.SetOTP("bob", "99", "111")
	r := &recorder{KDC: k}
	m := krb5.New(&krb5.Config{ConfigText: k.Config(), KDC: r, Getenv: func(string) string { return "" }})
	var last mech.Cred
	login := func(who string, o krb5.LoginOptions) {
		t.Helper()
		c, err := m.Login(context.Background(), who, &o)
		require.NoError(t, err)
		last = c
	}
	secret := func() []byte { return []byte(password) }
	login("alice", krb5.LoginOptions{Password: secret}) // SPAKE
	login("alice", krb5.LoginOptions{Password: secret, Armor: last})
	cert, key, err := k.Certificate("alice", time.Hour)
	require.NoError(t, err)
	login("alice", krb5.LoginOptions{Signer: key, Certificates: []*x509.Certificate{cert}, Anchors: k.Anchors()})
	login("", krb5.LoginOptions{Anonymous: true, Anchors: k.Anchors()})
	login("bob", krb5.LoginOptions{Armor: last, Prompt: func(context.Context, *krb5.OTPChallenge) (*krb5.OTPAnswer, error) {
		return &krb5.OTPAnswer{Value: []byte("111"), PIN: []byte("99")}, nil
	}})
	return r.sent
}

func everything() *testenv.Options {
	return &testenv.Options{NoListen: true, FAST: true, PKINIT: true, SPAKE: []string{"P-256"}, PKINITGroup: "P-256", Enctypes: []int32{18}}
}

// Whatever becomes of a request on its way, there is an answer.
func TestPreauthDamagedRequests(t *testing.T) {
	k := newKDC(t, everything())
	for _, seed := range preauthSeeds(t, k) {
		for i := 0; i < len(seed); i += 3 {
			m := slices.Clone(seed)
			m[i] ^= 1 << (i % 8)
			answered(t, k, m)
		}
	}
}

func FuzzHandlePreauth(f *testing.F) {
	k := newKDC(f, everything())
	for _, seed := range preauthSeeds(f, k) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, req []byte) { answered(t, k, req) })
}

func TestAuthority(t *testing.T) {
	plain := newKDC(t, &testenv.Options{NoListen: true})
	require.Nil(t, plain.Anchors())
	require.Nil(t, plain.AnchorsPEM())
	_, _, err := plain.Certificate("alice", time.Hour)
	require.Error(t, err)

	k := newKDC(t, everything())
	block, rest := pem.Decode(k.AnchorsPEM())
	require.NotNil(t, block)
	require.Empty(t, rest)
	ca, err := x509.ParseCertificate(block.Bytes)
	require.NoError(t, err)
	require.True(t, ca.IsCA)
	for _, life := range []time.Duration{time.Hour, -time.Hour} {
		cert, key, err := k.Certificate("alice", life)
		require.NoError(t, err)
		require.Equal(t, key.Public(), cert.PublicKey)
		require.NoError(t, cert.CheckSignatureFrom(ca))
		require.WithinDuration(t, time.Now().Add(life), cert.NotAfter, time.Minute)
		require.True(t, cert.NotBefore.Before(cert.NotAfter))
	}
}
