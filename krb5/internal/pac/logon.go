package pac

import (
	"encoding/binary"
	"time"
)

// LogonInfo is what a domain controller says of the user (KERB_VALIDATION_INFO,
// MS-PAC §2.5).
type LogonInfo struct {
	// LogonTime and PasswordLastSet are zero if not known.
	LogonTime, PasswordLastSet time.Time
	// EffectiveName is the account, FullName the person.
	EffectiveName, FullName string
	// LogonServer and LogonDomainName are NetBIOS names.
	LogonServer, LogonDomainName string
	// UserSID and PrimaryGroupSID are those of the account.
	UserSID, PrimaryGroupSID SID
	// Groups are all of the user's: of the domain, of other domains, and of
	// the resource domain.
	Groups             []SID
	UserAccountControl uint32
}

// LogonInfo decodes the logon information. A PAC of MIT's KDC has none.
func (p *PAC) LogonInfo() (*LogonInfo, error) {
	b, err := p.Buffer(TypeLogonInfo)
	if err != nil {
		return nil, err
	}
	n := &ndr{b: b}
	n.open()
	l := &LogonInfo{}
	moment := func() time.Time {
		if b := n.take(8, 4); b != nil {
			return fileTime(b)
		}
		return time.Time{}
	}
	l.LogonTime = moment()
	moment() // logoff
	moment() // kickoff
	l.PasswordLastSet = moment()
	moment() // password can change
	moment() // password must change
	var names [6]unicode
	for i := range names {
		names[i] = n.unicode()
	}
	n.u16() // logon count
	n.u16() // bad password count
	user, primary := n.u32(), n.u32()
	groupCount, groups := n.u32(), n.pointer()
	n.u32()       // user flags
	n.take(16, 4) // user session key: of no use here, and a secret
	server, domain := n.unicode(), n.unicode()
	domainSID := n.pointer()
	n.take(8, 4) // reserved
	l.UserAccountControl = n.u32()
	n.take(4+8+8+4+4, 4) // sub-authentication status, last logons, failures, reserved
	extraCount, extras := n.u32(), n.pointer()
	resourceSID := n.pointer()
	resourceCount, resources := n.u32(), n.pointer()

	// What the pointers point to follows in their order.
	l.EffectiveName, l.FullName = n.text(names[0]), n.text(names[1])
	for _, s := range names[2:] {
		n.text(s)
	}
	members := n.members(groups, groupCount)
	l.LogonServer, l.LogonDomainName = n.text(server), n.text(domain)
	if domainSID {
		sid := n.sid()
		l.UserSID, l.PrimaryGroupSID = sid.child(user), sid.child(primary)
		for _, rid := range members {
			l.Groups = append(l.Groups, sid.child(rid))
		}
	}
	if extras {
		var some []bool
		for range n.conformant(extraCount, 8) {
			some = append(some, n.pointer())
			n.u32() // attributes
		}
		for _, there := range some {
			if there {
				l.Groups = append(l.Groups, n.sid())
			}
		}
	}
	var domainOfResources SID
	if resourceSID {
		domainOfResources = n.sid()
	}
	for _, rid := range n.members(resources, resourceCount) {
		l.Groups = append(l.Groups, domainOfResources.child(rid))
	}
	if n.bad {
		return nil, syntax("logon info")
	}
	return l, nil
}

// members reads a list of GROUP_MEMBERSHIP and returns the relative IDs.
func (n *ndr) members(some bool, count uint32) []uint32 {
	if !some {
		return nil
	}
	var rids []uint32
	for range n.conformant(count, 8) {
		rids = append(rids, n.u32())
		n.u32() // attributes
	}
	return rids
}

// UPNDNSInfo is the user's principal name and the domain's DNS name (MS-PAC
// §2.10).
type UPNDNSInfo struct {
	UPN, DNSDomain string
	// Constructed says that the account has no such name of its own.
	Constructed bool
	// SAMName and SID are empty if the domain controller is older than 2021.
	SAMName string
	SID     SID
}

// UPNDNSInfo decodes the names.
func (p *PAC) UPNDNSInfo() (*UPNDNSInfo, error) {
	b, err := p.Buffer(TypeUPNDNSInfo)
	if err != nil {
		return nil, err
	}
	var bad bool
	part := func(at int) []byte {
		if len(b) < at+4 {
			bad = true
			return nil
		}
		size, offset := int(binary.LittleEndian.Uint16(b[at:])), int(binary.LittleEndian.Uint16(b[at+2:]))
		if offset > len(b) || size > len(b)-offset {
			bad = true
			return nil
		}
		return b[offset : offset+size]
	}
	text := func(at int) string {
		s, err := utf16String(part(at))
		bad = bad || err != nil
		return s
	}
	if len(b) < 12 {
		return nil, syntax("UPN and DNS info")
	}
	flags := binary.LittleEndian.Uint32(b[8:])
	u := &UPNDNSInfo{UPN: text(0), DNSDomain: text(4), Constructed: flags&1 != 0}
	if flags&2 != 0 {
		u.SAMName = text(12)
		if s := part(16); len(s) > 0 {
			var n int
			if u.SID, n = parseSID(s); n == 0 {
				bad = true
			}
		}
	}
	if bad {
		return nil, syntax("UPN and DNS info")
	}
	return u, nil
}
