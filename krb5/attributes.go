package krb5

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"sync"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/pac"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// Attributes of a client's name, as an acceptor sees it (RFC 6680). They are
// there only if the KDC's signature with the service's key is good, and it
// speaks of this client and this login.
const (
	// AttrPAC is the whole PAC; with a word of [MS-PAC] or the decimal number
	// of a type behind it, one buffer of it: "urn:mspac:logon-info".
	AttrPAC = "urn:mspac:"
	// AttrIndicators says how the client has logged in (RFC 8129).
	AttrIndicators = "auth-indicators"
)

// pacWords are the types of PAC buffers that have a word of their own.
var pacWords = map[string]uint32{
	"logon-info": pac.TypeLogonInfo, "credentials-info": pac.TypeCredentials, "server-checksum": pac.TypeServerChecksum,
	"privsvr-checksum": pac.TypePrivSvrChecksum, "client-info": pac.TypeClientInfo,
	"delegation-info": pac.TypeDelegation, "upn-dns-info": pac.TypeUPNDNSInfo,
}

type (
	// LogonInfo is what a domain controller says of a user.
	LogonInfo = pac.LogonInfo
	// UPNDNSInfo is a user's principal name and domain.
	UPNDNSInfo = pac.UPNDNSInfo
	// SID is a security identifier in text form.
	SID = pac.SID
)

// usageCAMMAC is the key usage of a CAMMAC's verifiers (RFC 7751 §4).
const usageCAMMAC = 64

// attributes are verified when somebody asks for them: few acceptors do, and a
// PAC that cannot be verified is no reason to refuse its owner.
type attributes struct{ load func() verified }

// verified are attributes that a KDC vouches for.
type verified struct {
	pac        *pac.PAC // nil if there is none that is good
	indicators []string
}

// newAttributes returns the attributes of a request's client, nil if its ticket
// has nothing that could hold any.
func newAttributes(acc *apreq.Accepted) *attributes {
	ticket, key := acc.Ticket, acc.ServerKey
	pacs := collect(nil, ticket.AuthzData, wire.ADWin2KPAC, 0)
	cammacs := collect(nil, ticket.AuthzData, wire.ADCAMMAC, 0)
	if len(pacs) == 0 && len(cammacs) == 0 {
		return nil
	}
	return &attributes{sync.OnceValue(func() verified {
		var v verified
		// Of several PACs nobody could say which one counts.
		if len(pacs) == 1 {
			if p, err := pac.Parse(pacs[0]); err == nil && p.Verify(key, ticket.Client, ticket.AuthTime) == nil {
				v.pac = p
			}
		}
		for _, b := range cammacs {
			v.indicators = append(v.indicators, indicators(b, key)...)
		}
		return v
	})}
}

// indicators returns the authentication indicators of a CAMMAC that verifies.
func indicators(b []byte, key *enctype.Key) []string {
	c, err := wire.ParseCAMMAC(b)
	if err != nil || c.Service == nil {
		return nil
	}
	if want, ok := enctype.ChecksumType(key.Enctype()); !ok || c.Service.Type != want {
		return nil
	}
	if key.VerifyChecksum(c.Service.Sum, usageCAMMAC, c.Signed) != nil {
		return nil
	}
	var list []string
	for _, d := range collect(nil, c.Elements, wire.ADAuthIndicator, 0) {
		if words, err := wire.ParseIndicators(d); err == nil {
			list = append(list, words...)
		}
	}
	return list
}

// get returns the verified attributes of a name.
func (n *name) verified() verified {
	if n == nil || n.attrs == nil {
		return verified{}
	}
	return n.attrs.load()
}

var _ mech.AttributedName = (*name)(nil)

// Attributes implements [mech.AttributedName].
func (n *name) Attributes() []string {
	v := n.verified()
	var list []string
	if v.pac != nil {
		list = append(list, AttrPAC)
		for _, typ := range v.pac.Types() {
			list = append(list, AttrPAC+pacWord(typ))
		}
	}
	if len(v.indicators) > 0 {
		list = append(list, AttrIndicators)
	}
	return list
}

func pacWord(typ uint32) string {
	for word, t := range pacWords {
		if t == typ {
			return word
		}
	}
	return strconv.FormatUint(uint64(typ), 10)
}

// Attribute implements [mech.AttributedName]. Names of attributes are compared
// without regard to case.
func (n *name) Attribute(attr string) (mech.Attribute, error) {
	v := n.verified()
	a := mech.Attribute{Authenticated: true, Complete: true}
	attr = strings.ToLower(attr)
	if attr == AttrIndicators && len(v.indicators) > 0 {
		for _, word := range v.indicators {
			a.Values = append(a.Values, []byte(word))
		}
		a.Display = append(a.Display, v.indicators...)
		return a, nil
	}
	if part, ok := strings.CutPrefix(attr, AttrPAC); ok && v.pac != nil {
		b := v.pac.Raw()
		if part != "" {
			typ, known := pacWords[part]
			if number, err := strconv.ParseUint(part, 10, 32); err == nil {
				typ, known = uint32(number), true
			}
			var err error
			if b, err = v.pac.Buffer(typ); !known || err != nil {
				return mech.Attribute{}, noAttribute("get_name_attribute", attr)
			}
		}
		a.Values, a.Display = [][]byte{append([]byte(nil), b...)}, []string{""}
		return a, nil
	}
	return mech.Attribute{}, noAttribute("get_name_attribute", attr)
}

func noAttribute(op, attr string) error {
	return fail(op, gsserr.ErrUnavailable, fmt.Errorf("no attribute %q", attr))
}

// WithAttribute implements [mech.AttributedName]: nobody but a KDC sets any.
func (n *name) WithAttribute(attr string, _ mech.Attribute) (mech.Name, error) {
	return nil, noAttribute("set_name_attribute", attr)
}

// WithoutAttribute implements [mech.AttributedName].
func (n *name) WithoutAttribute(attr string) (mech.Name, error) {
	return nil, noAttribute("delete_name_attribute", attr)
}

// ExportComposite implements [mech.AttributedName]. The attributes stay behind:
// who imports the name could not verify them.
func (n *name) ExportComposite() ([]byte, error) {
	text, err := n.Export()
	if err != nil {
		return nil, err
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(len(text)))
	return binary.BigEndian.AppendUint32(append(b, text...), 0), nil
}

// Logon returns what a domain controller says of an established context's
// initiator: account, groups and SIDs of a verified PAC. Without one, or without
// that part, as in tickets of MIT's KDC, it is ErrUnavailable.
func Logon(c Established) (*LogonInfo, error) {
	const op = "get_name_attribute"
	s, err := of(op, c)
	if err != nil {
		return nil, err
	}
	if p := s.client.verified().pac; p != nil {
		if l, err := p.LogonInfo(); err == nil {
			return l, nil
		}
	}
	return nil, noAttribute(op, AttrPAC+"logon-info")
}

// UPN returns the user principal name of an established context's initiator from
// a verified PAC. Without one it is ErrUnavailable.
func UPN(c Established) (*UPNDNSInfo, error) {
	const op = "get_name_attribute"
	s, err := of(op, c)
	if err != nil {
		return nil, err
	}
	if p := s.client.verified().pac; p != nil {
		if u, err := p.UPNDNSInfo(); err == nil {
			return u, nil
		}
	}
	return nil, noAttribute(op, AttrPAC+"upn-dns-info")
}
