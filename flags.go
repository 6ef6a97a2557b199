package gssapi

import (
	secctx "github.com/gss-go/gssapi/context"
	"github.com/gss-go/gssapi/mech"
)

// Flags are what a context is asked for, and what it has (RFC 2744 §3.3.1).
type Flags = mech.Flags

// Flags of a context.
const (
	FlagDeleg         = mech.FlagDeleg         // delegate the initiator's credential
	FlagMutual        = mech.FlagMutual        // the acceptor authenticates too
	FlagReplay        = mech.FlagReplay        // detect replayed messages
	FlagSequence      = mech.FlagSequence      // detect messages out of sequence
	FlagConf          = mech.FlagConf          // messages can be encrypted
	FlagInteg         = mech.FlagInteg         // messages can be authenticated
	FlagAnon          = mech.FlagAnon          // the initiator is anonymous
	FlagProtReady     = mech.FlagProtReady     // messages could be protected already
	FlagTrans         = mech.FlagTrans         // the context can be exported
	FlagChannelBound  = mech.FlagChannelBound  // both sides have the same channel bindings
	FlagDCEStyle      = mech.FlagDCEStyle      // three legs, as DCE RPC wants it
	FlagIdentify      = mech.FlagIdentify      // the acceptor may identify, not impersonate
	FlagExtendedError = mech.FlagExtendedError // the peer understands extended errors
	FlagDelegPolicy   = mech.FlagDelegPolicy   // delegate if the KDC trusts the acceptor

	// DefaultFlags are those that an initiator asks for by itself.
	DefaultFlags = secctx.DefaultFlags
)

// Usage says what a credential is for.
type Usage = mech.Usage

// Usages of a credential.
const (
	UsageBoth     = mech.UsageBoth
	UsageInitiate = mech.UsageInitiate
	UsageAccept   = mech.UsageAccept
)

// Indefinite is a lifetime without end.
const Indefinite = mech.Indefinite
