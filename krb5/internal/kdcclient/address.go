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
		addrs = append(addrs, hostAddress(ip))
	}
	return addrs
}

// hostAddress is an address as tickets have it.
func hostAddress(ip netip.Addr) wire.HostAddress {
	if ip.Is4() {
		return wire.HostAddress{Type: wire.AddrIPv4, Addr: ip.AsSlice()}
	}
	return wire.HostAddress{Type: wire.AddrIPv6, Addr: ip.AsSlice()}
}
