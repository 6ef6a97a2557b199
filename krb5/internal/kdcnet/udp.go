package kdcnet

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// exchangeUDP asks one server over UDP. A name with several addresses is one
// server that may be reached at any of them.
func (n *Network) exchangeUDP(ctx context.Context, addr string, r *Request) ([]byte, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if _, err := netip.ParseAddr(host); err == nil || n.Dial != nil {
		return n.datagram(ctx, addr, r)
	}
	// A dialer would take the first address only, since with UDP a connection
	// always succeeds.
	resolver := n.Resolver
	if resolver == nil {
		resolver = net.DefaultResolver
	}
	ips, err := resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, ended(ctx, err)
	}
	if len(ips) > maxServers {
		ips = ips[:maxServers]
	}
	reply, _, errs := race(ctx, n.staggerTime(), len(ips), func(ctx context.Context, i int) ([]byte, error) {
		return n.datagram(ctx, net.JoinHostPort(ips[i].Unmap().String(), port), r)
	})
	if errs != nil {
		return nil, several(errs)
	}
	return reply, nil
}

// datagram sends the request to one address, again and again, until there is a
// reply. What is not one is ignored: anyone can send a datagram.
func (n *Network) datagram(ctx context.Context, addr string, r *Request) ([]byte, error) {
	conn, err := n.dial(ctx, "udp", addr)
	if err != nil {
		return nil, ended(ctx, err)
	}
	defer guard(ctx, conn)()
	wait := n.resend
	if wait <= 0 {
		wait = defaultResend
	}
	buf := make([]byte, maxUDP)
	for ; ; wait *= 2 {
		if _, err := conn.Write(r.Message); err != nil {
			return nil, ended(ctx, err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(wait)); err != nil {
			return nil, ended(ctx, err)
		}
		for {
			size, err := conn.Read(buf)
			if err != nil {
				if ctx.Err() == nil && errors.Is(err, os.ErrDeadlineExceeded) {
					break
				}
				return nil, ended(ctx, err)
			}
			err = vet(r, buf[:size])
			if errors.Is(err, errNotAReply) || errors.Is(err, krberr.APRepeat) {
				continue // the answer to what was sent before may still come
			}
			return append([]byte(nil), buf[:size]...), err
		}
	}
}
