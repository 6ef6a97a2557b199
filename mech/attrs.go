package mech

import "github.com/gss-go/gssapi/oid"

// Mechanism attributes of RFC 5587 §3, under the names of that document.
var (
	MAMechConcrete   = oid.MechAttr(1)         // GSS_C_MA_MECH_CONCRETE
	MAMechPseudo     = oid.MechAttr(2)         // GSS_C_MA_MECH_PSEUDO
	MAMechComposite  = oid.MechAttr(3)         // GSS_C_MA_MECH_COMPOSITE
	MAMechNego       = oid.MechAttr(4)         // GSS_C_MA_MECH_NEGO
	MAMechGlue       = oid.MechAttr(5)         // GSS_C_MA_MECH_GLUE
	MANotMech        = oid.MechAttr(6)         // GSS_C_MA_NOT_MECH
	MADeprecated     = oid.MechAttr(7)         // GSS_C_MA_DEPRECATED
	MANotDefaultMech = oid.MechAttr(8)         // GSS_C_MA_NOT_DFLT_MECH
	MAItokFramed     = oid.MechAttr(9)         // GSS_C_MA_ITOK_FRAMED
	MAAuthInit       = oid.MechAttr(10)        // GSS_C_MA_AUTH_INIT
	MAAuthTarg       = oid.MechAttr(11)        // GSS_C_MA_AUTH_TARG
	MAAuthInitInit   = oid.MechAttr(12)        // GSS_C_MA_AUTH_INIT_INIT
	MAAuthTargInit   = oid.MechAttr(13)        // GSS_C_MA_AUTH_TARG_INIT
	MAAuthInitAnon   = oid.MechAttr(14)        // GSS_C_MA_AUTH_INIT_ANON
	MAAuthTargAnon   = oid.MechAttr(15)        // GSS_C_MA_AUTH_TARG_ANON
	MADelegCred      = oid.MechAttr(16)        // GSS_C_MA_DELEG_CRED
	MAIntegProt      = oid.MechAttr(17)        // GSS_C_MA_INTEG_PROT
	MAConfProt       = oid.MechAttr(18)        // GSS_C_MA_CONF_PROT
	MAMIC            = oid.MechAttr(19)        // GSS_C_MA_MIC
	MAWrap           = oid.MechAttr(20)        // GSS_C_MA_WRAP
	MAProtReady      = oid.MechAttr(21)        // GSS_C_MA_PROT_READY
	MAReplayDet      = oid.MechAttr(22)        // GSS_C_MA_REPLAY_DET
	MAOOSDet         = oid.MechAttr(23)        // GSS_C_MA_OOS_DET
	MACBindings      = oid.MechAttr(24)        // GSS_C_MA_CBINDINGS
	MAPFS            = oid.MechAttr(25)        // GSS_C_MA_PFS
	MACompress       = oid.MechAttr(26)        // GSS_C_MA_COMPRESS
	MACtxTrans       = oid.MechAttr(27)        // GSS_C_MA_CTX_TRANS
	MANegoExSPNEGO   = oid.AttrNegoExAndSPNEGO // GSS_C_MA_NEGOEX_AND_SPNEGO, MIT's own
)

type attrText struct {
	attr              oid.OID
	name, short, long string
}

// attrTexts returns the attributes with the words that gss_display_mech_attr
// has for them in MIT's library, spelling included.
func attrTexts() []attrText {
	return []attrText{
		{MAMechConcrete, "GSS_C_MA_MECH_CONCRETE", "concrete-mech", "Mechanism is neither a pseudo-mechanism nor a composite mechanism."},
		{MAMechPseudo, "GSS_C_MA_MECH_PSEUDO", "pseudo-mech", "Mechanism is a pseudo-mechanism."},
		{MAMechComposite, "GSS_C_MA_MECH_COMPOSITE", "composite-mech", "Mechanism is a composite of other mechanisms."},
		{MAMechNego, "GSS_C_MA_MECH_NEGO", "mech-negotiation-mech", "Mechanism negotiates other mechanisms."},
		{MAMechGlue, "GSS_C_MA_MECH_GLUE", "mech-glue", "OID is not a mechanism but the GSS-API itself."},
		{MANotMech, "GSS_C_MA_NOT_MECH", "not-mech", "Known OID but not a mechanism OID."},
		{MADeprecated, "GSS_C_MA_DEPRECATED", "mech-deprecated", "Mechanism is deprecated."},
		{MANotDefaultMech, "GSS_C_MA_NOT_DFLT_MECH", "mech-not-default", "Mechanism must not be used as a default mechanism."},
		{MAItokFramed, "GSS_C_MA_ITOK_FRAMED", "initial-is-framed", "Mechanism's initial contexts are properly framed."},
		{MAAuthInit, "GSS_C_MA_AUTH_INIT", "auth-init-princ", "Mechanism supports authentication of initiator to acceptor."},
		{MAAuthTarg, "GSS_C_MA_AUTH_TARG", "auth-targ-princ", "Mechanism supports authentication of acceptor to initiator."},
		{MAAuthInitInit, "GSS_C_MA_AUTH_INIT_INIT", "auth-init-princ-initial", "Mechanism supports authentication of initiator using initial credentials."},
		{MAAuthTargInit, "GSS_C_MA_AUTH_TARG_INIT", "auth-target-princ-initial", "Mechanism supports authentication of acceptor using initial credentials."},
		{MAAuthInitAnon, "GSS_C_MA_AUTH_INIT_ANON", "auth-init-princ-anon", "Mechanism supports GSS_C_NT_ANONYMOUS as an initiator name."},
		{MAAuthTargAnon, "GSS_C_MA_AUTH_TARG_ANON", "auth-targ-princ-anon", "Mechanism supports GSS_C_NT_ANONYMOUS as an acceptor name."},
		{MADelegCred, "GSS_C_MA_DELEG_CRED", "deleg-cred", "Mechanism supports credential delegation."},
		{MAIntegProt, "GSS_C_MA_INTEG_PROT", "integ-prot", "Mechanism supports per-message integrity protection."},
		{MAConfProt, "GSS_C_MA_CONF_PROT", "conf-prot", "Mechanism supports per-message confidentiality protection."},
		{MAMIC, "GSS_C_MA_MIC", "mic", "Mechanism supports Message Integrity Code (MIC) tokens."},
		{MAWrap, "GSS_C_MA_WRAP", "wrap", "Mechanism supports wrap tokens."},
		{MAProtReady, "GSS_C_MA_PROT_READY", "prot-ready", "Mechanism supports per-message proteciton prior to full context establishment."},
		{MAReplayDet, "GSS_C_MA_REPLAY_DET", "replay-detection", "Mechanism supports replay detection."},
		{MAOOSDet, "GSS_C_MA_OOS_DET", "oos-detection", "Mechanism supports out-of-sequence detection."},
		{MACBindings, "GSS_C_MA_CBINDINGS", "channel-bindings", "Mechanism supports channel bindings."},
		{MAPFS, "GSS_C_MA_PFS", "pfs", "Mechanism supports Perfect Forward Security."},
		{MACompress, "GSS_C_MA_COMPRESS", "compress", "Mechanism supports compression of data inputs to gss_wrap()."},
		{MACtxTrans, "GSS_C_MA_CTX_TRANS", "context-transfer", "Mechanism supports security context export/import."},
		{MANegoExSPNEGO, "GSS_C_MA_NEGOEX_AND_SPNEGO", "negoex-only", "NegoEx mechanism should also be negotiable through SPNEGO."},
	}
}

// KnownAttrs returns the attributes that this package knows: those of RFC 5587
// and MIT's one for NegoEx. It is what a mechanism without a list of its own
// puts into Info.KnownAttrs. The slice is the caller's.
func KnownAttrs() []oid.OID {
	texts := attrTexts()
	attrs := make([]oid.OID, len(texts))
	for i, t := range texts {
		attrs[i] = t.attr
	}
	return attrs
}

// AttrText returns the name of an attribute in the C bindings, a short and a
// long description (gss_display_mech_attr, RFC 5587 §3.4.4). ok is false if the
// attribute is not one of [KnownAttrs].
func AttrText(attr oid.OID) (name, short, long string, ok bool) {
	for _, t := range attrTexts() {
		if t.attr == attr {
			return t.name, t.short, t.long, true
		}
	}
	return "", "", "", false
}
