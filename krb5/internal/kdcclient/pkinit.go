package kdcclient

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/pkinit"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// usagePKInitKX is the key usage of PA-PKINIT-KX (RFC 8062 §4.3).
const usagePKInitKX = 44

// tdDHParameters is the type of TD-DH-PARAMETERS (RFC 4556 §3.1.5).
const tdDHParameters = 109

// PKINIT is how a client proves itself with a certificate (RFC 4556), or gets an
// anonymous ticket (RFC 8062).
type PKINIT struct {
	// Certificates are the client's own and those that lead up to an
	// authority; Signer has its key. A nil Signer is an anonymous client.
	Certificates []*x509.Certificate
	Signer       crypto.Signer
	// Anchors are the authorities that the KDC's certificate may come from; nil
	// is those of pkinit_anchors.
	Anchors *x509.CertPool
}

// pkinitMech is PKINIT with key agreement.
type pkinitMech struct {
	r         *PKINIT
	groups    []pkinit.Group // those that the KDC has not refused
	trust     *pkinit.Trust
	agreement *pkinit.Agreement
	reply     *enctype.Key
	anonymous bool
}

func newPKINIT(l *login) *pkinitMech {
	m := &pkinitMech{r: l.r.PKINIT, groups: pkinit.Groups(), anonymous: l.anonymous()}
	if bits := l.pkinitOption("pkinit_dh_min_bits"); len(bits) > 0 {
		m.groups = pkinit.MinBits(bits[0])
	}
	return m
}

func (*pkinitMech) padata() int32  { return wire.PAPKASReq }
func (*pkinitMech) name() string   { return "PKINIT" }
func (*pkinitMech) needsKey() bool { return false }

// pkinitOption returns the values of a relation that can stand in the realm's
// section, in libdefaults for the realm, or in libdefaults.
func (l *login) pkinitOption(name string) []string {
	realm := l.client.Realm
	for _, path := range [][]string{{"realms", realm, name}, {"libdefaults", realm, name}, {"libdefaults", name}} {
		if v := l.c.Config.All(path...); len(v) > 0 {
			return v
		}
	}
	return nil
}

// trusted reads whom to trust.
func (m *pkinitMech) trusted(l *login) (*pkinit.Trust, error) {
	t := &pkinit.Trust{Anchors: m.r.Anchors, Hosts: l.pkinitOption("pkinit_kdc_hostname")}
	for _, v := range l.pkinitOption("pkinit_revoke") {
		lists, err := pkinit.LoadLists(v)
		if err != nil {
			return nil, fmt.Errorf("pkinit_revoke: %w", err)
		}
		t.Lists = append(t.Lists, lists...)
	}
	realm := l.client.Realm
	t.RequireLists = l.c.Config.Bool(l.c.flag(realm, "pkinit_require_crl_checking", false), "realms", realm, "pkinit_require_crl_checking")
	if v := l.pkinitOption("pkinit_eku_checking"); len(v) > 0 {
		switch v[0] {
		case "kpServerAuth":
			t.Purpose = pkinit.KPServerAuth
		case "none":
			t.Purpose = pkinit.KPAny
		}
	}
	load := func(name string, add func(*x509.Certificate)) error {
		for _, v := range l.pkinitOption(name) {
			list, err := pkinit.LoadCertificates(v)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			for _, c := range list {
				add(c)
			}
		}
		return nil
	}
	if err := load("pkinit_pool", func(c *x509.Certificate) { t.Intermediates = append(t.Intermediates, c) }); err != nil {
		return nil, err
	}
	if t.Anchors == nil {
		t.Anchors = x509.NewCertPool()
		if err := load("pkinit_anchors", t.Anchors.AddCert); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (m *pkinitMech) respond(_ context.Context, l *login) ([]wire.PAData, error) {
	var id *pkinit.Identity
	if m.r.Signer != nil {
		id = &pkinit.Identity{Certificates: m.r.Certificates, Signer: m.r.Signer}
		if err := id.Check(); err != nil {
			return nil, fmt.Errorf("%w: %w", krberr.PreauthFailed, err)
		}
	}
	if !enctype.Supported(etype.AES256SHA1) {
		return nil, fmt.Errorf("%w: PKINIT uses SHA-1, which is not allowed in this process (FIPS 140-3)", krberr.PreauthFailed)
	}
	var err error
	if m.trust == nil {
		if m.trust, err = m.trusted(l); err != nil {
			return nil, fmt.Errorf("%w: %w", krberr.PreauthFailed, err)
		}
	}
	if m.agreement, err = pkinit.NewAgreement(m.groups[0]); err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	m.reply = nil
	req := pkinit.Request{
		Identity: id, Time: l.c.now(l.offset), Nonce: l.nonce, Body: l.body, Agreement: m.agreement,
	}
	if pa, ok := find(l.offered, wire.PAASFreshness); ok && len(pa.Value) > 0 {
		req.Freshness = pa.Value
	}
	value, err := req.Append(nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.PreauthFailed, err)
	}
	return []wire.PAData{{Type: wire.PAPKASReq, Value: value}}, nil
}

// adjust takes another group if the KDC did not like the one that was used (RFC
// 4556 §3.2.2). Nothing protects that error, but all groups are good ones.
func (m *pkinitMech) adjust(l *login, e *Error) error {
	if e.Code != krberr.KDCDHParams || len(m.groups) < 2 {
		return e
	}
	list, err := e.typedData()
	if err != nil {
		return err
	}
	rest := m.groups[1:]
	if pa, ok := find(list, tdDHParameters); ok {
		if rest, err = pkinit.Acceptable(pa.Value, rest); err != nil {
			return modified("%w", err)
		}
	}
	if len(rest) == 0 {
		return e
	}
	m.groups = rest
	if cookie, ok := find(list, wire.PAFXCookie); ok {
		l.offered = append(slices.DeleteFunc(slices.Clone(l.offered), func(pa wire.PAData) bool { return pa.Type == wire.PAFXCookie }), cookie)
	}
	return nil
}

// typedData is the e-data of an error that has TYPED-DATA (RFC 4556 §3.2.2), in
// that form or, as MIT writes it, as METHOD-DATA.
func (e *Error) typedData() ([]wire.PAData, error) {
	if e.armored {
		return e.padata, nil
	}
	list, err := wire.ParseTypedData(e.Data)
	if err != nil {
		return e.methodData()
	}
	return list, nil
}

// replyKey verifies that the KDC is who its certificate says, and derives the key
// (RFC 4556 §3.2.4).
func (m *pkinitMech) replyKey(l *login, rep *wire.KDCRep) (*enctype.Key, error) {
	pa, ok := find(rep.PAData, wire.PAPKASRep)
	if !ok || m.agreement == nil {
		return nil, modified("the KDC does not prove who it is")
	}
	defer m.agreement.Clear()
	parsed, err := pkinit.ParseReply(pa.Value)
	if err != nil {
		return nil, modified("PA-PK-AS-REP: %w", err)
	}
	public, err := parsed.Verify(m.trust, l.client.Realm, l.nonce, l.c.now(l.offset))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", kdcCode(err), err)
	}
	secret, err := m.agreement.Shared(public)
	if err != nil {
		return nil, modified("PA-PK-AS-REP: %w", err)
	}
	defer clear(secret)
	client := l.client
	if m.anonymous {
		// Its realm is the one that the ticket will have, as MIT's KDC has it.
		client = principal.Anonymous
	}
	m.reply, err = pkinit.ReplyKey(parsed.KDF, &pkinit.KDFInput{
		Secret: secret, Etype: rep.Enc.Etype, Client: client, Server: l.server, Request: l.raw, Reply: pa.Value,
	})
	if errors.Is(err, pkinit.ErrKDF) {
		return nil, fmt.Errorf("%w: %w", krberr.KDCNoKDF, err)
	}
	return m.reply, err
}

// kdcCode is the code for what is wrong with a KDC's signature or certificate.
func kdcCode(err error) krberr.Code {
	switch {
	case errors.Is(err, pkinit.ErrUntrusted):
		return krberr.KDCKDCNotTrusted
	case errors.Is(err, pkinit.ErrName):
		return krberr.KDCKDCNameMismatch
	case errors.Is(err, pkinit.ErrPurpose):
		return krberr.KDCKeyPurpose
	case errors.Is(err, pkinit.ErrRevoked):
		return krberr.KDCRevokedCert
	}
	return krberr.KDCInvalidSig
}

// verify holds the session key against the two keys that it has to come from:
// that way neither the KDC nor the client chose it alone (RFC 8062 §4.3). For an
// anonymous client there is no other proof that it was not chosen by someone in
// between.
func (m *pkinitMech) verify(rep *wire.KDCRep, part *wire.EncKDCRepPart) error {
	pa, ok := find(rep.PAData, wire.PAPKInitKX)
	if !ok {
		if m.anonymous {
			return modified("PA-PKINIT-KX is missing")
		}
		return nil
	}
	enc, err := wire.ParseEncryptedData(pa.Value)
	if err != nil {
		return modified("PA-PKINIT-KX: %w", err)
	}
	if enc.Etype != m.reply.Enctype() || enc.Kvno != 0 {
		return fmt.Errorf("%w: PA-PKINIT-KX is encrypted with %s", krberr.WrongEtype, enc.Etype)
	}
	plain, err := m.reply.Decrypt(nil, enc.Cipher, usagePKInitKX)
	if err != nil {
		return fmt.Errorf("%w: PA-PKINIT-KX", err)
	}
	defer clear(plain)
	k, err := wire.ParseEncryptionKey(plain)
	if err != nil {
		return modified("PA-PKINIT-KX: %w", err)
	}
	kdc, err := enctype.NewKey(k.Etype, k.Value)
	if err != nil {
		return modified("PA-PKINIT-KX: %w", err)
	}
	want, err := enctype.CF2(kdc, m.reply, "PKINIT", "KEYEXCHANGE")
	if err != nil {
		return err
	}
	session, err := enctype.NewKey(part.Key.Etype, part.Key.Value)
	if err != nil {
		return modified("session key: %w", err)
	}
	if !want.Equal(session) {
		return modified("the session key is not the one that PA-PKINIT-KX makes")
	}
	return nil
}
