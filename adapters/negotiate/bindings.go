package negotiate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"

	"github.com/gss-go/gssapi"
)

// endPoint returns bindings of the type tls-server-end-point (RFC 5929 §4) to a
// server's certificate, nil if there is none, or none that has a hash for it.
func endPoint(ctx context.Context, log *slog.Logger, cert *x509.Certificate) *gssapi.ChannelBindings {
	if cert == nil {
		return nil
	}
	b, err := gssapi.TLSServerEndPoint(cert)
	if err != nil {
		log.InfoContext(ctx, "no channel bindings", "error", err)
		return nil
	}
	return b
}

// peerCertificate returns the certificate that the server presented to us.
func peerCertificate(cs *tls.ConnectionState) *x509.Certificate {
	if cs == nil || len(cs.PeerCertificates) == 0 {
		return nil
	}
	return cs.PeerCertificates[0]
}

// TLSConfig returns a copy of c, for an http.Server, that notes the certificate
// of each connection; without it a Server does not know the certificate that
// clients bind to, because crypto/tls does not tell. It takes [Server.ConnContext]
// too. The certificates must be in c, not in files named to ListenAndServeTLS:
//
//	srv := &http.Server{
//		TLSConfig:   auth.TLSConfig(&tls.Config{Certificates: certs}),
//		ConnContext: auth.ConnContext,
//		Handler:     auth.Handler(app),
//	}
//	err := srv.ListenAndServeTLS("", "")
//
// A GetCertificate in c is called twice in a handshake and must give the same
// certificate both times.
func (s *Server) TLSConfig(c *tls.Config) *tls.Config {
	if c == nil {
		c = new(tls.Config)
	}
	c = c.Clone()
	out := c.Clone()
	out.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
		var other *tls.Config
		used := c
		if c.GetConfigForClient != nil {
			var err error
			if other, err = c.GetConfigForClient(h); err != nil {
				return nil, err
			}
			if other != nil {
				used = other
			}
		}
		if conn := s.conn(h.Context()); conn != nil {
			conn.setCertificate(certificateFor(used, h))
		}
		return other, nil
	}
	return out
}

// certificateFor returns the certificate that crypto/tls will choose, nil if it
// will fail.
func certificateFor(c *tls.Config, h *tls.ClientHelloInfo) *x509.Certificate {
	var chosen *tls.Certificate
	if c.GetCertificate != nil && (len(c.Certificates) == 0 || h.ServerName != "") {
		chosen, _ = c.GetCertificate(h) // it fails again where it counts
	}
	if chosen == nil && len(c.Certificates) > 0 {
		chosen = &c.Certificates[0]
		if len(c.Certificates) > 1 {
			for i := range c.Certificates {
				if h.SupportsCertificate(&c.Certificates[i]) == nil {
					chosen = &c.Certificates[i]
					break
				}
			}
		}
	}
	switch {
	case chosen == nil || chosen.Leaf == nil && len(chosen.Certificate) == 0:
		return nil
	case chosen.Leaf != nil:
		return chosen.Leaf
	}
	cert, err := x509.ParseCertificate(chosen.Certificate[0])
	if err != nil {
		return nil
	}
	return cert
}
