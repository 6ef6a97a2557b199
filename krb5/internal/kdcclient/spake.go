package kdcclient

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/spake"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// usageSPAKE is the key usage of the second factor (RFC 9588 §12.1).
const usageSPAKE = 65

// spakeMech is SPAKE (RFC 9588) without a second factor: what crosses the net
// does not let anyone try out passwords.
type spakeMech struct {
	groups    []spake.Group
	support   []byte // our first message, nil if the KDC went ahead with a challenge
	challenge []byte // the KDC's message, nil until there is one
	parsed    *wire.SPAKEChallenge
	reply     *enctype.Key // K'[0] of the last response
}

// newSPAKE takes the groups from the relation spake_preauth_groups.
func newSPAKE(l *login) *spakeMech {
	text, ok := l.c.Config.Get("libdefaults", "spake_preauth_groups")
	if !ok {
		return &spakeMech{groups: spake.Groups()}
	}
	m := new(spakeMech)
	for _, name := range strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if g, ok := spake.Parse(name); ok && !slices.Contains(m.groups, g) {
			m.groups = append(m.groups, g)
		}
	}
	return m
}

func (*spakeMech) padata() int32  { return wire.PASPAKE }
func (*spakeMech) name() string   { return "SPAKE" }
func (*spakeMech) needsKey() bool { return true }

func (m *spakeMech) respond(_ context.Context, l *login) ([]wire.PAData, error) {
	if m.support == nil && m.challenge == nil {
		if err := m.begin(l); err != nil {
			return nil, err
		}
	}
	if m.challenge == nil {
		return []wire.PAData{{Type: wire.PASPAKE, Value: m.support}}, nil
	}
	return m.answer(l)
}

// begin looks whether the KDC went ahead with a challenge that suits (RFC 9588
// §4.1), else it tells the groups that do.
func (m *spakeMech) begin(l *login) error {
	if pa, ok := find(l.offered, wire.PASPAKE); ok && len(pa.Value) > 0 {
		msg, err := wire.ParsePASPAKE(pa.Value)
		if err != nil {
			return modified("PA-SPAKE: %w", err)
		}
		if msg.Challenge != nil && m.suits(msg.Challenge) == nil {
			m.challenge, m.parsed = pa.Value, msg.Challenge
			return nil
		}
	}
	if len(m.groups) == 0 {
		return fmt.Errorf("%w: spake_preauth_groups names no group that is known here", krberr.PreauthFailed)
	}
	msg := wire.PASPAKEMessage{}
	for _, g := range m.groups {
		msg.Support = append(msg.Support, int32(g))
	}
	m.support = msg.Append(nil)
	return nil
}

// suits says what is wrong with a challenge.
func (m *spakeMech) suits(c *wire.SPAKEChallenge) error {
	if !slices.Contains(m.groups, spake.Group(c.Group)) {
		return modified("a SPAKE challenge in %s, which was not offered", spake.Group(c.Group))
	}
	if !slices.ContainsFunc(c.Factors, func(f wire.SPAKEFactor) bool { return f.Type == wire.SPAKEFactorNone }) {
		return fmt.Errorf("%w: the KDC wants a second factor for SPAKE", krberr.PreauthFailed)
	}
	return nil
}

// more takes the KDC's challenge.
func (m *spakeMech) more(_ *login, padata []wire.PAData) error {
	if m.challenge != nil {
		return fmt.Errorf("%w: the KDC wants more than the answer to its SPAKE challenge", krberr.PreauthFailed)
	}
	pa, ok := find(padata, wire.PASPAKE)
	if !ok {
		return modified("no SPAKE challenge follows")
	}
	msg, err := wire.ParsePASPAKE(pa.Value)
	if err != nil {
		return modified("PA-SPAKE: %w", err)
	}
	if msg.Challenge == nil {
		return modified("PA-SPAKE has no challenge")
	}
	if err := m.suits(msg.Challenge); err != nil {
		return err
	}
	m.challenge, m.parsed = pa.Value, msg.Challenge
	return nil
}

// answer is the response to the challenge, and makes the reply key (RFC 9588
// §4.3).
func (m *spakeMech) answer(l *login) ([]wire.PAData, error) {
	initial, err := l.clientKey(l.method, 0)
	if err != nil {
		return nil, err
	}
	group := spake.Group(m.parsed.Group)
	w, err := spake.W(group, initial)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	defer clear(w)
	side, err := spake.New(group, false, w)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	defer side.Clear()
	k, err := side.Result(m.parsed.Public)
	if err != nil {
		return nil, modified("SPAKE challenge: %w", err)
	}
	defer clear(k)
	transcript, err := spake.Transcript(group, m.support, m.challenge, side.Public)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.CryptoInternal, err)
	}
	keys := spake.Keys{Group: group, Initial: initial, W: w, K: k, Transcript: transcript, Body: l.body}
	if m.reply, err = keys.Key(0); err != nil {
		return nil, err
	}
	k1, err := keys.Key(1)
	if err != nil {
		return nil, err
	}
	defer k1.Clear()
	factor := wire.SPAKEFactor{Type: wire.SPAKEFactorNone}
	cipher, err := k1.Encrypt(nil, factor.Append(nil), usageSPAKE)
	if err != nil {
		return nil, err
	}
	msg := wire.PASPAKEMessage{Response: &wire.SPAKEResponse{
		Public: side.Public,
		Factor: wire.EncryptedData{Etype: k1.Enctype(), Cipher: cipher},
	}}
	return []wire.PAData{{Type: wire.PASPAKE, Value: msg.Append(nil)}}, nil
}

func (m *spakeMech) replyKey(_ *login, _ *wire.KDCRep) (*enctype.Key, error) {
	if m.reply == nil {
		return nil, modified("a ticket before the SPAKE exchange has ended")
	}
	return m.reply, nil
}
