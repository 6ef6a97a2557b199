package gssapi

import (
	"slices"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// Mechanisms and name types, from package oid.
var (
	Krb5   = oid.Krb5   // Kerberos 5, RFC 4121
	SPNEGO = oid.SPNEGO // negotiation, RFC 4178

	NTHostBased       = oid.NTHostBased
	NTUserName        = oid.NTUserName
	NTMachineUID      = oid.NTMachineUID
	NTStringUID       = oid.NTStringUID
	NTAnonymous       = oid.NTAnonymous
	NTExportName      = oid.NTExportName
	NTCompositeExport = oid.NTCompositeExport
	NTKrb5Principal   = oid.NTKrb5Principal
	NTKrb5Enterprise  = oid.NTKrb5Enterprise
)

// Mechs returns the mechanisms of the default registry (RFC 2743 §2.4.1). A
// registry of one's own has All.
func Mechs() []OID {
	var list []OID
	for _, m := range DefaultRegistry().All() {
		list = append(list, m.Info().OID)
	}
	return list
}

// MechInfo describes a mechanism of the default registry: name types, RFC 5587
// attributes and SASL names. An unknown one is ErrBadMech.
func MechInfo(m OID) (mech.Info, error) {
	k, err := DefaultRegistry().Lookup(m)
	if err != nil {
		return mech.Info{}, err
	}
	return k.Info(), nil
}

// MechsByAttrs returns the mechanisms of the default registry with all of the
// desired attributes, none of except, and that know all of critical (RFC 5587
// §3.4.2).
func MechsByAttrs(desired, except, critical []OID) []OID {
	return DefaultRegistry().ByAttrs(desired, except, critical)
}

// MechBySASLName returns the mechanism of the default registry with a SASL name
// (RFC 5801 §3.4), ErrBadMech if there is none.
func MechBySASLName(name string) (OID, error) {
	m, err := DefaultRegistry().BySASLName(name)
	if err != nil {
		return OID{}, err
	}
	return m.Info().OID, nil
}

// MechsForName returns the mechanisms of the default registry that take names
// of n's type (RFC 2743 §2.4.12).
func MechsForName(n Name) []OID {
	var list []OID
	for _, m := range DefaultRegistry().All() {
		if i := m.Info(); slices.Contains(i.NameTypes, n.Type()) {
			list = append(list, i.OID)
		}
	}
	return list
}

// DisplayMechAttr returns the symbol of a mechanism attribute and its words,
// short and long (RFC 5587 §3.4.4). An unknown one is ErrBadMechAttr.
func DisplayMechAttr(attr OID) (name, short, long string, err error) {
	name, short, long, ok := mech.AttrText(attr)
	if !ok {
		return "", "", "", gsserr.New("display_mech_attr", gsserr.ErrBadMechAttr, nil)
	}
	return name, short, long, nil
}
