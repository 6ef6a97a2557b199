package kdcclient

import (
	"net"
	"net/netip"

	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// localAddresses returns the machine's addresses for tickets that are bound to
// them (noaddresses = false), nil if they cannot be read.
func localAddresses() []wire.HostAddress {
	interfaces, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var addrs []wire.HostAddress
	for _, i := range interfaces {
		prefix, err := netip.ParsePrefix(i.String())
		if err != nil {
			continue
		}
		ip := prefix.Addr().Unmap()
		if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			continue
		}
		typ := wire.AddrIPv6
		if ip.Is4() {
			typ = wire.AddrIPv4
		}
		addrs = append(addrs, wire.HostAddress{Type: typ, Addr: ip.AsSlice()})
	}
	return addrs
}
