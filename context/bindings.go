package secctx

import (
	"crypto"
	_ "crypto/sha256" // for crypto.SHA256
	_ "crypto/sha512" // for crypto.SHA384 and crypto.SHA512
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// Prefixes of the application data, the registered names of the binding types.
const (
	endPointPrefix = "tls-server-end-point:" // RFC 5929 §4
	exporterPrefix = "tls-exporter:"         // RFC 9266 §2
)

// Parameters of the exporter, RFC 9266 §2. The context is the empty one, which
// before TLS 1.3 is not the same as none.
const (
	exporterLabel  = "EXPORTER-Channel-Binding"
	exporterLength = 32
)

var (
	errNoConnection = errors.New("the TLS handshake is not complete")
	errExporter     = errors.New("the TLS connection has neither TLS 1.3 nor the extended master secret")
)

// TLSServerEndPoint returns bindings to the server's certificate, type
// tls-server-end-point of RFC 5929 §4, which is what HTTP and LDAP use. The
// client finds it in tls.ConnectionState.PeerCertificates[0], the server uses its
// own.
//
// The hash is that of the certificate's signature, SHA-256 in place of MD5 and
// SHA-1. A signature without one, such as Ed25519, leaves the bindings undefined:
// ErrUnavailable. A nil certificate is a bindings read error.
func TLSServerEndPoint(cert *x509.Certificate) (*mech.ChannelBindings, error) {
	const op = "tls_server_end_point"
	if cert == nil || len(cert.Raw) == 0 {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadBindings, nil)
	}
	var hash crypto.Hash
	switch cert.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.DSAWithSHA256, x509.ECDSAWithSHA256:
		hash = crypto.SHA256
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		hash = crypto.SHA384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		hash = crypto.SHA512
	default:
		return nil, fail(op, gsserr.ErrUnavailable,
			fmt.Errorf("no hash is defined for a certificate signed with %s", cert.SignatureAlgorithm))
	}
	h := hash.New()
	h.Write(cert.Raw)
	return &mech.ChannelBindings{Application: h.Sum([]byte(endPointPrefix))}, nil
}

// TLSExporter returns bindings to one TLS connection, type tls-exporter of
// RFC 9266. The connection must have completed its handshake, with TLS 1.3 or
// with the extended master secret; otherwise it is ErrUnavailable. A nil state is
// a bindings read error.
func TLSExporter(cs *tls.ConnectionState) (*mech.ChannelBindings, error) {
	const op = "tls_exporter"
	if cs == nil {
		return nil, fail(op, gsserr.ErrInaccessibleRead|gsserr.ErrBadBindings, nil)
	}
	if !cs.HandshakeComplete {
		return nil, fail(op, gsserr.ErrUnavailable, errNoConnection)
	}
	key, err := export(cs)
	if err != nil {
		return nil, fail(op, gsserr.ErrUnavailable, err)
	}
	return &mech.ChannelBindings{Application: append([]byte(exporterPrefix), key...)}, nil
}

// export asks the connection for key material. A state that did not come from a
// connection has nothing to ask, and crypto/tls panics on it without offering a
// way to tell.
func export(cs *tls.ConnectionState) (key []byte, err error) {
	defer func() {
		if recover() != nil {
			key, err = nil, errNoConnection
		}
	}()
	key, err = cs.ExportKeyingMaterial(exporterLabel, []byte{}, exporterLength)
	if err != nil || len(key) != exporterLength {
		return nil, errExporter
	}
	return key, nil
}
