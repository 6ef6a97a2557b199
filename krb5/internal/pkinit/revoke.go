package pkinit

import (
	"crypto/hmac"
	"crypto/x509"
	"errors"
	"time"
)

// ErrRevoked says that a certificate was revoked, or that it cannot be told
// whether it was when that is demanded.
var ErrRevoked = errors.New("pkinit: the certificate was revoked")

// errUnknown is the other half of that.
var errUnknown = errors.New("no current revocation list of its authority")

// revoked looks the certificates of a chain up in the lists of those that issued
// them, as MIT's pkinit_revoke does: a list that is missing or out of date is no
// obstacle, unless RequireLists is set, which is about the KDC's own certificate.
func (t *Trust) revoked(chain []*x509.Certificate, now time.Time) error {
	for i, c := range chain[:len(chain)-1] {
		listed, known := t.lookup(c, chain[i+1], now)
		if listed {
			return ErrRevoked
		}
		if i == 0 && !known && t.RequireLists {
			return errors.Join(ErrRevoked, errUnknown)
		}
	}
	if len(chain) == 1 && t.RequireLists {
		return errors.Join(ErrRevoked, errUnknown) // trusted by itself: nobody revokes it
	}
	return nil
}

// lookup reports whether a list of the issuer has the certificate, and whether
// there is a list that is authentic and current.
func (t *Trust) lookup(c, issuer *x509.Certificate, now time.Time) (listed, known bool) {
	for _, l := range t.Lists {
		if !hmac.Equal(l.RawIssuer, issuer.RawSubject) || l.CheckSignatureFrom(issuer) != nil {
			continue
		}
		for _, e := range l.RevokedCertificateEntries {
			if e.SerialNumber.Cmp(c.SerialNumber) == 0 {
				listed = true // also by a list that is out of date
			}
		}
		if !now.Before(l.ThisUpdate) && (l.NextUpdate.IsZero() || now.Before(l.NextUpdate)) {
			known = true
		}
	}
	return listed, known
}
