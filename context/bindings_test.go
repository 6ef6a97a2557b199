package secctx_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

const readBindings = gsserr.ErrInaccessibleRead | gsserr.ErrBadBindings

// RFC 5929 §4.1: the hash of the signature, SHA-256 for MD5 and SHA-1.
func TestTLSServerEndPoint(t *testing.T) {
	raw := []byte("certificate")
	s256, s384, s512 := sha256.Sum256(raw), sha512.Sum384(raw), sha512.Sum512(raw)
	for alg, hash := range map[x509.SignatureAlgorithm][]byte{
		x509.MD5WithRSA: s256[:], x509.SHA1WithRSA: s256[:], x509.DSAWithSHA1: s256[:], x509.ECDSAWithSHA1: s256[:],
		x509.SHA256WithRSA: s256[:], x509.SHA256WithRSAPSS: s256[:], x509.DSAWithSHA256: s256[:], x509.ECDSAWithSHA256: s256[:],
		x509.SHA384WithRSA: s384[:], x509.SHA384WithRSAPSS: s384[:], x509.ECDSAWithSHA384: s384[:],
		x509.SHA512WithRSA: s512[:], x509.SHA512WithRSAPSS: s512[:], x509.ECDSAWithSHA512: s512[:],
		x509.PureEd25519: nil, x509.UnknownSignatureAlgorithm: nil, x509.MD2WithRSA: nil, 99: nil,
	} {
		t.Run(alg.String(), func(t *testing.T) {
			b, err := secctx.TLSServerEndPoint(&x509.Certificate{Raw: raw, SignatureAlgorithm: alg})
			if hash == nil {
				require.ErrorIs(t, err, gsserr.ErrUnavailable)
				require.Nil(t, b)
				return
			}
			require.NoError(t, err)
			require.Equal(t, &mech.ChannelBindings{Application: append([]byte("tls-server-end-point:"), hash...)}, b)
		})
	}
	for _, cert := range []*x509.Certificate{nil, {}} {
		_, err := secctx.TLSServerEndPoint(cert)
		require.ErrorIs(t, err, readBindings)
	}
}

// handshake returns what both sides of a TLS connection know.
func handshake(t *testing.T, version uint16, r tls.RenegotiationSupport) (client, server tls.ConnectionState) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		DNSNames: []string{"test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(cert)

	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	s := tls.Server(b, &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}},
		MinVersion: version, MaxVersion: version, SessionTicketsDisabled: true})
	c := tls.Client(a, &tls.Config{RootCAs: pool, ServerName: "test", MinVersion: version, MaxVersion: version, Renegotiation: r})
	done := make(chan error)
	go func() { done <- s.Handshake() }()
	require.NoError(t, c.Handshake())
	require.NoError(t, <-done)
	return c.ConnectionState(), s.ConnectionState()
}

func TestTLSExporter(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		t.Run(tls.VersionName(version), func(t *testing.T) {
			client, server := handshake(t, version, tls.RenegotiateNever)
			x, err := secctx.TLSExporter(&client)
			require.NoError(t, err)
			y, err := secctx.TLSExporter(&server)
			require.NoError(t, err)
			require.Equal(t, x, y)
			// RFC 9266 §2: this label, an empty context, 32 bytes.
			want, err := client.ExportKeyingMaterial("EXPORTER-Channel-Binding", []byte{}, 32)
			require.NoError(t, err)
			require.Equal(t, &mech.ChannelBindings{Application: append([]byte("tls-exporter:"), want...)}, x)

			client, _ = handshake(t, version, tls.RenegotiateNever)
			z, err := secctx.TLSExporter(&client)
			require.NoError(t, err)
			require.NotEqual(t, x, z, "another connection")

			e, err := secctx.TLSServerEndPoint(client.PeerCertificates[0])
			require.NoError(t, err)
			sum := sha256.Sum256(client.PeerCertificates[0].Raw)
			require.Equal(t, "tls-server-end-point:"+string(sum[:]), string(e.Application))
		})
	}
	client, _ := handshake(t, tls.VersionTLS12, tls.RenegotiateOnceAsClient)
	_, err := secctx.TLSExporter(&client)
	require.ErrorIs(t, err, gsserr.ErrUnavailable, "renegotiation makes key material ambiguous")
	_, err = secctx.TLSExporter(nil)
	require.ErrorIs(t, err, readBindings)
	for _, cs := range []tls.ConnectionState{{}, {HandshakeComplete: true, Version: tls.VersionTLS13}} {
		_, err := secctx.TLSExporter(&cs)
		require.ErrorIs(t, err, gsserr.ErrUnavailable)
	}
}
