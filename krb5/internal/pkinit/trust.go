package pkinit

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// KeyPurpose says which extended key usage a KDC's certificate must have, as
// pkinit_eku_checking does.
type KeyPurpose uint8

// The values of pkinit_eku_checking.
const (
	KPKdc        KeyPurpose = iota // id-pkinit-KPKdc
	KPServerAuth                   // that, or server authentication
	KPAny                          // any
)

// Trust says which certificates are those of a realm's KDC.
type Trust struct {
	// Anchors are the authorities; nil trusts nobody.
	Anchors *x509.CertPool
	// Intermediates are certificates between those and a KDC's, besides what
	// the KDC sends.
	Intermediates []*x509.Certificate
	// Hosts are names one of which is enough in a certificate that does not
	// name the realm (pkinit_kdc_hostname).
	Hosts   []string
	Purpose KeyPurpose
	// Lists are revocation lists; RequireLists demands a current one for the
	// KDC's certificate.
	Lists        []*x509.RevocationList
	RequireLists bool
}

// Errors of a certificate that is authentic and not that of the realm's KDC.
var (
	ErrUntrusted = errors.New("pkinit: the KDC's certificate does not come from a trusted authority")
	ErrName      = errors.New("pkinit: the KDC's certificate is not for this realm")
	ErrPurpose   = errors.New("pkinit: the certificate is not one of a KDC")
)

// verify checks the signer's certificate (RFC 4556 §3.2.4).
func (t *Trust) verify(c *signedContent, realm string, now time.Time) error {
	if t == nil || t.Anchors == nil {
		return fmt.Errorf("%w: no authority is trusted (pkinit_anchors)", ErrUntrusted)
	}
	pool := x509.NewCertPool()
	for _, list := range [][]*x509.Certificate{c.Others, t.Intermediates} {
		for _, other := range list {
			pool.AddCert(other)
		}
	}
	// Names of the type that is looked at below are unknown to crypto/x509.
	leaf := *c.Signer
	leaf.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions),
		func(oid asn1.ObjectIdentifier) bool { return oid.Equal(oidSubjectAltName) })
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: t.Anchors, Intermediates: pool, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	for _, chain := range chains { // one that is good is enough
		if err = t.revoked(chain, now); err == nil {
			break
		}
	}
	if err != nil {
		return err
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return fmt.Errorf("%w: its key is not for signatures", ErrPurpose)
	}
	if !t.named(&leaf, realm) {
		return ErrName
	}
	kdc := slices.ContainsFunc(leaf.UnknownExtKeyUsage, oidKPKdc.Equal)
	server := slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	if !kdc && t.Purpose != KPAny && !(server && t.Purpose == KPServerAuth) {
		return ErrPurpose
	}
	return nil
}

// named reports whether a certificate is for the realm: by the name of its
// ticket-granting service, or by a host that the configuration names.
func (t *Trust) named(c *x509.Certificate, realm string) bool {
	want := principal.TGS(realm, realm)
	for _, n := range KerberosNames(c) {
		if n.Equal(want) {
			return true
		}
	}
	for _, host := range c.DNSNames {
		if slices.ContainsFunc(t.Hosts, func(h string) bool { return strings.EqualFold(h, host) }) {
			return true
		}
	}
	return false
}

// KerberosNames returns the principals that a certificate names (RFC 4556
// §3.2.2, id-pkinit-san). What is malformed is passed over.
func KerberosNames(c *x509.Certificate) []principal.Name {
	var names []principal.Name
	for _, e := range c.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		in := cryptobyte.String(e.Value)
		var list, name cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
			continue
		}
		for !list.Empty() && list.ReadAnyASN1(&name, &tag) {
			var oid asn1.ObjectIdentifier
			var value cryptobyte.String
			if tag != explicit(0) || !name.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidSAN) ||
				!name.ReadASN1(&value, explicit(0)) || !name.Empty() {
				continue
			}
			if n, ok := parsePrincipalName(value); ok {
				names = append(names, n)
			}
		}
	}
	return names
}

// parsePrincipalName reads a KRB5PrincipalName.
func parsePrincipalName(in cryptobyte.String) (principal.Name, bool) {
	var n principal.Name
	var seq, f0, realm, f1, name, n0, n1, parts, part cryptobyte.String
	var typ int64
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadASN1(&f0, explicit(0)) || !f0.ReadASN1(&realm, generalString) || !f0.Empty() ||
		!seq.ReadASN1(&f1, explicit(1)) || !f1.ReadASN1(&name, cbasn1.SEQUENCE) || !f1.Empty() || !seq.Empty() ||
		!name.ReadASN1(&n0, explicit(0)) || !n0.ReadASN1Integer(&typ) || typ != int64(int32(typ)) || !n0.Empty() ||
		!name.ReadASN1(&n1, explicit(1)) || !n1.ReadASN1(&parts, cbasn1.SEQUENCE) || !n1.Empty() || !name.Empty() {
		return n, false
	}
	n.Realm, n.Type = string(realm), int32(typ)
	for !parts.Empty() {
		if len(n.Components) == principal.MaxComponents || !parts.ReadASN1(&part, generalString) {
			return n, false
		}
		n.Components = append(n.Components, string(part))
	}
	return n, len(n.Components) > 0
}
