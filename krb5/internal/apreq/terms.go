package apreq

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// Terms are the conditions that an initiator's authenticator sets.
type Terms struct {
	// Flags are those it asked for, as far as an initiator may.
	Flags mech.Flags
	// Bound says that both sides have the same channel bindings.
	Bound bool
	// Deleg is a KRB-CRED message, nil for none.
	Deleg []byte
}

// initiatorFlags are the flags that an initiator's word is good for. Others on
// the wire (anonymous, delegation policy, protection ready, transferable,
// channel bound) are for the acceptor to find out.
const initiatorFlags = mech.FlagMutual | mech.FlagReplay | mech.FlagSequence | mech.FlagConf | mech.FlagInteg |
	mech.FlagDCEStyle | mech.FlagIdentify | mech.FlagExtendedError

// Terms reads the authenticator's checksum field. With bindings given, an
// initiator that has others is refused with ErrBadBindings, and so is one that
// has none, unless optional is set and it did not announce that it would send
// some (MS-KILE §3.2.5.8).
func (acc *Accepted) Terms(bindings *mech.ChannelBindings, optional bool) (*Terms, error) {
	sum := acc.Auth.Checksum
	terms := &Terms{}
	switch {
	case sum == nil:
		// SMB clients of Windows send none (MS-KILE §3.4.5.1).
	case sum.Type == ChecksumType:
		c, err := ParseChecksum(sum.Sum)
		if err != nil {
			return nil, err
		}
		terms.Flags, terms.Deleg = c.Flags&initiatorFlags, c.Deleg
		if bindings != nil {
			if terms.Bound, err = bound(bindings, &c.Bindings); err != nil {
				return nil, err
			}
		}
	default:
		// Samba has sent the plain checksum of RFC 4120, over nothing.
		if err := acc.plainChecksum(sum); err != nil {
			return nil, err
		}
		terms.Flags = mech.FlagReplay | mech.FlagSequence
		if acc.Options&OptMutualRequired != 0 {
			terms.Flags |= mech.FlagMutual
		}
	}
	if terms.Flags.Has(mech.FlagDCEStyle) {
		terms.Flags |= mech.FlagMutual
	}
	if bindings == nil || terms.Bound {
		return terms, nil
	}
	promised, err := announcesBindings(acc.Auth.AuthzData)
	if err != nil {
		return nil, err
	}
	if promised || !optional {
		return nil, fail(gsserr.ErrBadBindings, fmt.Errorf("%w: the initiator sent none", krberr.APBadMatch))
	}
	return terms, nil
}

// bound compares the acceptor's bindings with the hash of the initiator's. All
// zero means that it sent none.
func bound(b *mech.ChannelBindings, got *[BindingsSize]byte) (bool, error) {
	want, err := BindingsHash(b)
	if err != nil {
		return false, err
	}
	if subtle.ConstantTimeCompare(want[:], got[:]) == 1 {
		return true, nil
	}
	var none [BindingsSize]byte
	if subtle.ConstantTimeCompare(none[:], got[:]) == 1 {
		return false, nil
	}
	return false, fail(gsserr.ErrBadBindings, fmt.Errorf("%w: channel bindings", krberr.APBadMatch))
}

func (acc *Accepted) plainChecksum(sum *wire.Checksum) error {
	want, ok := enctype.ChecksumType(acc.SessionKey.Enctype())
	if !ok || sum.Type != want {
		return fail(gsserr.ErrFailure, krberr.APInappCksum)
	}
	if err := acc.SessionKey.VerifyChecksum(sum.Sum, usageAPReqChecksum); err != nil {
		return fail(gsserr.ErrFailure, err)
	}
	return nil
}

// apOptionsCBT is the bit with which a client says that it knows about channel
// bindings and has sent them if there is a channel (MS-KILE §3.2.5.8).
const apOptionsCBT = 0x4000

// announcesBindings reports whether the authenticator carries that bit. The
// element must not occur twice.
func announcesBindings(ad []wire.AuthzDatum) (bool, error) {
	switch found := find(ad, adAPOptions); {
	case len(found) == 0:
		return false, nil
	case len(found) > 1 || len(found[0]) != 4:
		return false, fail(gsserr.ErrFailure, fmt.Errorf("%w: AP options", krberr.APMsgType))
	default:
		return binary.LittleEndian.Uint32(found[0])&apOptionsCBT != 0, nil
	}
}
