package spnego

import (
	"crypto/subtle"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// protects reports whether the mechanism in use can sign the list.
func (n *negotiation) protects() bool {
	_, ok := n.inner.(mech.Protector)
	return ok && n.inner.Info().Flags.Has(mech.FlagInteg)
}

// wantsMIC reports whether the configuration or the mechanism in use, which is
// complete, asks for a mechListMIC that RFC 4178 would let us leave out.
func (n *negotiation) wantsMIC() (bool, error) {
	if n.m.c.RequireMechListMIC {
		if !n.protects() {
			return false, n.refuse(fail(n.op, gsserr.ErrUnavailable, 0, errors.New("the mechanism cannot protect the negotiation")))
		}
		return true, nil
	}
	q, ok := n.inner.(mech.Inquirer)
	if !ok || !n.protects() {
		return false, nil
	}
	answers, err := q.Inquire(oid.SPNEGORequireMIC)
	if err != nil || len(answers) != 1 {
		return false, nil
	}
	var number byte
	for _, b := range answers[0] {
		number |= b
	}
	return number != 0, nil
}

// exchangeMIC deals with the mechListMIC (RFC 4178 §5) when the mechanism is
// complete. in is what the peer sent, nil if nothing; out is what to send. The
// negotiation may end when done is true.
//
// A MIC is required if the initiator's first choice was not taken, if the peer
// sends one, or if the mechanism or the configuration wants it. Then each side
// must send one and receive one. owed says that the peer had to send it by now
// if one is required; a peer that has ours and sends none is cheating anyhow.
func (n *negotiation) exchangeMIC(in []byte, owed bool) (out []byte, done bool, err error) {
	wanted, err := n.wantsMIC()
	switch {
	case err != nil:
		return nil, false, err
	case !n.protects():
		return nil, true, nil // nor can the peer
	}
	n.micRequired = n.micRequired || wanted
	switch {
	case in != nil:
		if err := n.verify(in); err != nil {
			return nil, false, err
		}
	case n.micRequired && !n.micReceived && (owed || n.micSent):
		return nil, false, n.defective("the peer does not protect the negotiation: no mechListMIC")
	}
	if n.micRequired && !n.micSent {
		if out, err = n.sign(); err != nil {
			return nil, false, err
		}
	}
	return out, !n.micRequired || n.micReceived, nil
}

// verify checks the peer's mechListMIC, which is answered in kind.
func (n *negotiation) verify(mic []byte) error {
	if n.micReceived {
		return n.defective("a second mechListMIC")
	}
	_, err := n.inner.(mech.Protector).VerifyMIC(n.mechTypes, mic)
	switch {
	case gsserr.Informational(err): // it is the first of all messages, or not for us
		return n.defective("mechListMIC out of sequence")
	case err != nil:
		return n.refuse(err)
	}
	n.resetCrypto(1)
	n.micReceived, n.micRequired = true, true
	return nil
}

// sign makes our mechListMIC.
func (n *negotiation) sign() ([]byte, error) {
	mic, err := n.inner.(mech.Protector).GetMIC(nil, n.mechTypes, 0)
	if err != nil {
		return nil, n.refuse(err)
	}
	n.resetCrypto(0)
	n.micSent = true
	return mic, nil
}

// resetCrypto makes NTLM forget that it has protected something in a direction,
// 0 ours and 1 the peer's: its message numbers and key stream begin after the
// negotiation (MS-SPNG §3.3.5.1). Other mechanisms do not know the option.
func (n *negotiation) resetCrypto(direction byte) {
	if o, ok := n.inner.(mech.OptionSetter); ok {
		_ = o.SetOption(oid.NTLMResetCrypto, []byte{direction, 0, 0, 0}) // see above
	}
}

// same compares two byte strings of the peer's, in constant time as everything
// here is that may be a MIC.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }
