package mech

import (
	"fmt"
	"strings"
)

// Flags are the request and return flags of a context (RFC 2744 §3.3.1 and the
// extensions of GFD.24 and MIT), numbered as in the C bindings.
type Flags uint32

const (
	FlagDeleg         Flags = 0x0001 // delegate the initiator's credential
	FlagMutual        Flags = 0x0002 // the acceptor authenticates too
	FlagReplay        Flags = 0x0004 // detect replayed messages
	FlagSequence      Flags = 0x0008 // detect messages out of sequence
	FlagConf          Flags = 0x0010 // messages can be encrypted
	FlagInteg         Flags = 0x0020 // messages can be authenticated
	FlagAnon          Flags = 0x0040 // the initiator is anonymous
	FlagProtReady     Flags = 0x0080 // messages could be protected already; reported only
	FlagTrans         Flags = 0x0100 // the context can be exported
	FlagChannelBound  Flags = 0x0800 // both sides presented the same channel bindings
	FlagDCEStyle      Flags = 0x1000 // three legs, as DCE RPC wants it
	FlagIdentify      Flags = 0x2000 // the acceptor may identify, not impersonate
	FlagExtendedError Flags = 0x4000 // the peer understands extended errors
	FlagDelegPolicy   Flags = 0x8000 // delegate if the KDC trusts the acceptor (RFC 5896)
)

var flagNames = [...]struct {
	f Flags
	s string
}{
	{FlagDeleg, "deleg"}, {FlagMutual, "mutual"}, {FlagReplay, "replay"}, {FlagSequence, "sequence"},
	{FlagConf, "conf"}, {FlagInteg, "integ"}, {FlagAnon, "anon"}, {FlagProtReady, "prot-ready"},
	{FlagTrans, "trans"}, {FlagChannelBound, "channel-bound"}, {FlagDCEStyle, "dce-style"},
	{FlagIdentify, "identify"}, {FlagExtendedError, "extended-error"}, {FlagDelegPolicy, "deleg-policy"},
}

// Has reports whether all of the flags in want are set.
func (f Flags) Has(want Flags) bool { return f&want == want }

// String returns the names of the flags that are set, separated by "|", and a
// number for those without a name.
func (f Flags) String() string {
	var names []string
	for _, n := range flagNames {
		if f&n.f != 0 {
			names = append(names, n.s)
			f &^= n.f
		}
	}
	if f != 0 {
		names = append(names, fmt.Sprintf("%#x", uint32(f)))
	}
	return strings.Join(names, "|")
}
