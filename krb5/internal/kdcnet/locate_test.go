package kdcnet

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestParseServer(t *testing.T) {
	for _, tt := range []struct {
		entry string
		want  server
		err   string
	}{
		{"kdc.example.com", server{"", "kdc.example.com:88"}, ""},
		{" kdc.example.com:750 ", server{"", "kdc.example.com:750"}, ""},
		{"10.0.0.1", server{"", "10.0.0.1:88"}, ""},
		{"[2001:db8::1]", server{"", "[2001:db8::1]:88"}, ""},
		{"[2001:db8::1]:89", server{"", "[2001:db8::1]:89"}, ""},
		{"2001:db8::1", server{"", "[2001:db8::1]:88"}, ""},
		{"[fe80::1%eth0]:89", server{"", "[fe80::1%eth0]:89"}, ""},
		{"tcp/kdc:750", server{"tcp", "kdc:750"}, ""},
		{"UDP/[::1]", server{"udp", "[::1]:88"}, ""},
		{"https://proxy.example.com/KdcProxy", server{"https", "https://proxy.example.com/KdcProxy"}, ""},
		{"HTTPS://proxy.example.com:444", server{"https", "HTTPS://proxy.example.com:444"}, ""},
		{"https://", server{}, "not a URL"},
		{"https://%zz/", server{}, "not a URL"},
		{"https://user:pw@proxy/", server{}, "not a URL"},
		{"http/kdc", server{}, "HTTP"},
		{"/run/kdc.sock", server{}, "local sockets"},
		{"unix:/run/kdc.sock", server{}, "local sockets"},
		{"", server{}, "not a host"},
		{":88", server{}, "not a host"},
		{"kdc:", server{}, "no port"},
		{"kdc:0", server{}, "not a port"},
		{"kdc:65536", server{}, "not a port"},
		{"kdc:-1", server{}, "not a port"},
		{"kdc:88x", server{}, "not a port"},
		{"[::1", server{}, "not a"},
		{"[::1]x", server{}, "not an address"},
		{"[::1]:", server{}, "not an address"},
		{"[kdc]:88", server{}, "not an address"},
		{"tcp/udp/kdc", server{}, "not a host"},
	} {
		t.Run(tt.entry, func(t *testing.T) {
			got, err := parseServer(tt.entry, portKDC, false)
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestLocateConfigured(t *testing.T) {
	cfg, err := conf.Parse(`
[realms]
 R = {
  kdc = one:1
  kdc = https://proxy/
  kdc = tcp/two
  kdc = kdc:bad
  primary_kdc = first
  admin_server = admin:749
 }
 OLD = {
  kdc = a
  master_kdc = b:8
  admin_server = admin
  kpasswd_server = pw:4
 }
 PROXIED = {
  kdc = https://proxy.example.com/KdcProxy
  kdc = kdc:bad
 }
`)
	require.NoError(t, err)
	for _, tt := range []struct {
		realm   string
		service Service
		want    []server
	}{
		{"R", KDC, []server{{"", "one:1"}, {"tcp", "two:88"}}},
		{"R", Primary, []server{{"", "first:88"}}},
		{"R", Password, []server{{"", "admin:464"}}},
		{"OLD", KDC, []server{{"", "a:88"}}},
		{"OLD", Primary, []server{{"", "b:8"}}},
		{"OLD", Password, []server{{"", "pw:4"}}},
	} {
		got, err := new(Network).locate(t.Context(), &Request{Realm: tt.realm, Service: tt.service, Config: cfg})
		require.NoError(t, err)
		require.Equal(t, tt.want, got)
	}
	_, err = new(Network).locate(t.Context(), &Request{Realm: "PROXIED", Config: cfg})
	require.ErrorIs(t, err, krberr.KDCUnreach)
	require.ErrorContains(t, err, "MS-KKDCP")
	require.ErrorContains(t, err, "kdc:bad")
}

func TestAttempts(t *testing.T) {
	servers := []server{{"", "a:1"}, {"tcp", "b:1"}, {"udp", "c:1"}, {"", "d:1"}}
	small, big := &Request{Message: make([]byte, 10)}, &Request{Message: make([]byte, 11)}
	for _, tt := range []struct {
		name string
		r    *Request
		want []server
	}{
		{"small", small, []server{{"udp", "a:1"}, {"tcp", "b:1"}, {"udp", "c:1"}, {"udp", "d:1"}, {"tcp", "a:1"}, {"tcp", "d:1"}}},
		{"big", big, []server{{"tcp", "a:1"}, {"tcp", "b:1"}, {"udp", "c:1"}, {"tcp", "d:1"}, {"udp", "a:1"}, {"udp", "d:1"}}},
		{"TCP", &Request{TCP: true}, []server{{"tcp", "a:1"}, {"tcp", "b:1"}, {"tcp", "c:1"}, {"tcp", "d:1"}}},
		{"preferred", &Request{TCP: true, Prefer: "c:1"}, []server{{"tcp", "c:1"}, {"tcp", "a:1"}, {"tcp", "b:1"}, {"tcp", "d:1"}}},
		{"preferred, unknown", &Request{TCP: true, Prefer: "x:1"}, []server{{"tcp", "a:1"}, {"tcp", "b:1"}, {"tcp", "c:1"}, {"tcp", "d:1"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, attempts(servers, tt.r, 10))
			require.Equal(t, server{"", "a:1"}, servers[0], "the list was modified")
		})
	}
}

// fakeDNS answers each query with the records of its name and type: SRV as
// target and port, A as an address. A name it does not have does not exist.
type fakeDNS struct {
	srv map[string][]net.SRV
	a   map[string][]net.IP
}

func (d *fakeDNS) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, srv := net.Pipe() // no PacketConn: the resolver frames as over TCP
		go d.serve(srv)
		return client, nil
	}}
}

func dnsName(b []byte) (name string, rest []byte) {
	for len(b) > 0 && b[0] != 0 {
		name += string(b[1:1+b[0]]) + "."
		b = b[1+b[0]:]
	}
	return name, b[1:]
}

func appendDNSName(b []byte, name string) []byte {
	for label := range splitDots(name) {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

func splitDots(name string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for start, i := 0, 0; i < len(name); i++ {
			if name[i] == '.' {
				if i > start && !yield(name[start:i]) {
					return
				}
				start = i + 1
			}
		}
	}
}

func (d *fakeDNS) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		q := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, q); err != nil {
			return
		}
		name, rest := dnsName(q[12:])
		question := q[12 : len(q)-len(rest)+4]
		typ := binary.BigEndian.Uint16(rest)
		var answers [][]byte
		known := false
		for n, list := range d.srv {
			if n == name {
				known = true
				for _, s := range list {
					data := binary.BigEndian.AppendUint16(nil, s.Priority)
					data = binary.BigEndian.AppendUint16(data, s.Weight)
					data = binary.BigEndian.AppendUint16(data, s.Port)
					answers = append(answers, appendDNSName(data, s.Target))
				}
			}
		}
		for n, list := range d.a {
			if n == name {
				known = true
				for _, ip := range list {
					if typ == 1 {
						answers = append(answers, ip.To4())
					}
				}
			}
		}
		reply := append([]byte{q[0], q[1], 0x84, 0, 0, 1, 0, byte(len(answers)), 0, 0, 0, 0}, question...)
		if !known {
			reply[3] = 3
		}
		for _, data := range answers {
			reply = append(reply, 0xc0, 12)
			reply = binary.BigEndian.AppendUint16(reply, typ)
			reply = append(reply, 0, 1, 0, 0, 0, 9)
			reply = binary.BigEndian.AppendUint16(reply, uint16(len(data)))
			reply = append(reply, data...)
		}
		out := append(binary.BigEndian.AppendUint16(nil, uint16(len(reply))), reply...)
		if _, err := c.Write(out); err != nil {
			return
		}
	}
}

func TestLocateSRV(t *testing.T) {
	d := &fakeDNS{srv: map[string][]net.SRV{
		"_kerberos._udp.EXAMPLE.COM.":        {{Target: "two.example.com.", Port: 88, Priority: 2}, {Target: "one.example.com.", Port: 750, Priority: 1}},
		"_kerberos._tcp.EXAMPLE.COM.":        {{Target: "one.example.com.", Port: 88}},
		"_kerberos-master._udp.EXAMPLE.COM.": {{Target: "main.example.com.", Port: 88}},
		"_kpasswd._udp.EXAMPLE.COM.":         {{Target: "pw.example.com.", Port: 464}},
		"_kerberos._udp.NONE.":               {{Target: ".", Port: 0}},
	}}
	n := &Network{Resolver: d.resolver()}
	empty, err := conf.Parse("")
	require.NoError(t, err)
	off, err := conf.Parse("[libdefaults]\n dns_lookup_kdc = false\n")
	require.NoError(t, err)
	for _, tt := range []struct {
		name    string
		realm   string
		service Service
		cfg     *conf.Config
		want    []server
	}{
		{"KDC", "EXAMPLE.COM", KDC, empty, []server{{"udp", "one.example.com:750"}, {"udp", "two.example.com:88"}, {"tcp", "one.example.com:88"}}},
		{"primary", "EXAMPLE.COM", Primary, empty, []server{{"udp", "main.example.com:88"}}},
		{"password", "EXAMPLE.COM", Password, empty, []server{{"udp", "pw.example.com:464"}}},
		{"switched off", "EXAMPLE.COM", KDC, off, nil},
		{"decidedly none", "NONE", KDC, empty, nil},
		{"unknown realm", "NOWHERE.EXAMPLE", KDC, empty, nil},
		{"no domain name", "A B/C", KDC, empty, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := n.locate(t.Context(), &Request{Realm: tt.realm, Service: tt.service, Config: tt.cfg})
			if tt.want == nil {
				require.ErrorIs(t, err, krberr.RealmUnknown)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestLocateSRVCancel(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	n := &Network{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	cfg, err := conf.Parse("")
	require.NoError(t, err)
	begin := time.Now()
	_, err = n.Exchange(ctx, &Request{Realm: "EXAMPLE.COM", Message: message, Config: cfg})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, err, krberr.KDCUnreach)
	require.Less(t, time.Since(begin), 3*time.Second)
}

// TestResolver: a name with a dead address and a live one is one server.
func TestResolver(t *testing.T) {
	k := newFakeKDC(t, handlers{udp: echoUDP, tcp: echoTCP})
	_, port, err := net.SplitHostPort(k.addr)
	require.NoError(t, err)
	d := &fakeDNS{a: map[string][]net.IP{"kdc.example.com.": {net.IPv4(127, 0, 0, 2), net.IPv4(127, 0, 0, 1)}}}
	n := &Network{Resolver: d.resolver()}
	for _, tcp := range []bool{false, true} {
		r := request(t, "", "kdc.example.com:"+port)
		r.TCP = tcp
		got, err := n.Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, echo(message), got)
	}
	require.EqualValues(t, 1, k.udp.Load())
	_, err = n.Exchange(t.Context(), request(t, "", "nowhere.example.com"))
	var missing *net.DNSError
	require.True(t, errors.As(err, &missing))
	require.ErrorIs(t, err, krberr.KDCUnreach)
}

func FuzzParseServer(f *testing.F) {
	for _, s := range []string{"kdc", "kdc:88", "[::1]:88", "tcp/kdc", "::1", "https://x", "[", "]:", "udp/[::1%x]:9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, entry string) {
		s, err := parseServer(entry, portKDC, false)
		if err != nil || s.network == "https" {
			return
		}
		again, err := parseServer(s.addr, portKDC, false)
		if err != nil || again.addr != s.addr {
			t.Fatalf("%q: %v, then %v, %v", entry, s, again, err)
		}
	})
}
