package kdcnet

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// uriDNS is a name server on a loopback port, UDP and TCP, that has URI records
// and nothing else.
type uriDNS struct {
	records map[string][]uriRecord
	// change, if not nil, makes other datagrams of an answer; over TCP the
	// answer is as it was.
	change   func(answer []byte) [][]byte
	udp, tcp atomic.Int32
	addr     string
}

func newURIDNS(t *testing.T, records map[string][]uriRecord, change func([]byte) [][]byte) (*uriDNS, *net.Resolver) {
	t.Helper()
	d := &uriDNS{records: records, change: change}
	k := newFakeKDC(t, handlers{noUDP: true, noTCP: true}) // free ports of one number
	d.addr = k.addr
	p, err := net.ListenPacket("udp", d.addr)
	require.NoError(t, err)
	l, err := net.Listen("tcp", d.addr)
	require.NoError(t, err)
	done := make(chan struct{}, 2)
	go func() {
		defer func() { done <- struct{}{} }()
		buf := make([]byte, 4096)
		for {
			n, from, err := p.ReadFrom(buf)
			if err != nil {
				return
			}
			d.udp.Add(1)
			datagrams := [][]byte{d.answer(buf[:n])}
			if d.change != nil && uriQuery(buf[:n]) {
				datagrams = d.change(datagrams[0])
			}
			for _, b := range datagrams {
				_, _ = p.WriteTo(b, from)
			}
		}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d.tcp.Add(1)
			buf := make([]byte, 4096)
			if n, err := c.Read(buf); err == nil && n > 2 {
				a := d.answer(buf[2:n])
				_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...))
			}
			_ = c.Close()
		}
	}()
	t.Cleanup(func() { _, _ = p.Close(), l.Close(); <-done; <-done })
	return d, &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, d.addr)
	}}
}

func uriQuery(q []byte) bool {
	_, rest := dnsName(q[12:])
	return binary.BigEndian.Uint16(rest) == typeURI
}

func (d *uriDNS) answer(q []byte) []byte {
	name, rest := dnsName(q[12:])
	records := d.records[name]
	if !uriQuery(q) {
		records = nil
	}
	a := append([]byte{q[0], q[1], 0x84, 0, 0, 1, 0, byte(len(records)), 0, 0, 0, 0}, q[12:len(q)-len(rest)+4]...)
	if d.records[name] == nil {
		a[3] = 3
	}
	for _, r := range records {
		a = append(a, 0xc0, 12, 1, 0, 0, 1, 0, 0, 0, 9)
		a = binary.BigEndian.AppendUint16(a, uint16(4+len(r.target)))
		a = binary.BigEndian.AppendUint16(a, r.priority)
		a = binary.BigEndian.AppendUint16(a, r.weight)
		a = append(a, r.target...)
	}
	return a
}

func uri(priority uint16, target string) uriRecord {
	return uriRecord{priority: priority, target: target}
}

var uriRecords = map[string][]uriRecord{
	"_kerberos.R.TEST.": {
		uri(3, "krb5srv::kkdcp:https://proxy.r.test/KdcProxy"),
		uri(1, "krb5srv:m:udp:main.r.test"),
		uri(2, "KRB5SRV:xx:TCP:[2001:db8::1]:750"),
		uri(0, "krb5srv::smtp:mail.r.test"),
		uri(0, "other::udp:x"),
		uri(0, "krb5srv:udp:x"),
		uri(0, "krb5srv::udp:tcp/x"),
		uri(0, "krb5srv::kkdcp:http://x/"),
		uri(0, "krb5srv::udp:"),
	},
	"_kpasswd.R.TEST.":      {uri(1, "krb5srv::udp:pw.r.test")},
	"_kerberos.PROXY.TEST.": {uri(1, "krb5srv::kkdcp:https://proxy/")},
}

func TestLocateURI(t *testing.T) {
	_, resolver := newURIDNS(t, uriRecords, nil)
	empty, err := conf.Parse("")
	require.NoError(t, err)
	off, err := conf.Parse("[libdefaults]\n dns_uri_lookup = false\n")
	require.NoError(t, err)
	https := func(context.Context, string, *Request) ([]byte, error) { return nil, nil }
	main, other, proxy := server{"udp", "main.r.test:88"}, server{"tcp", "[2001:db8::1]:750"}, server{"https", "https://proxy.r.test/KdcProxy"}
	for _, tt := range []struct {
		name    string
		n       *Network
		realm   string
		service Service
		cfg     *conf.Config
		want    []server
	}{
		{"KDC", &Network{HTTPS: https}, "R.TEST", KDC, empty, []server{main, other, proxy}},
		{"without proxies", &Network{}, "R.TEST", KDC, empty, []server{main, other}},
		{"primary", &Network{HTTPS: https}, "R.TEST", Primary, empty, []server{main}},
		{"password", &Network{}, "R.TEST", Password, empty, []server{{"udp", "pw.r.test:464"}}},
		{"proxy", &Network{HTTPS: https}, "PROXY.TEST", KDC, empty, []server{{"https", "https://proxy/"}}},
		{"proxy only, and none wanted", &Network{}, "PROXY.TEST", KDC, empty, nil},
		{"no records", &Network{}, "NONE.TEST", KDC, empty, nil},
		{"switched off", &Network{}, "R.TEST", KDC, off, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.n.Resolver = resolver
			got, err := tt.n.locate(t.Context(), &Request{Realm: tt.realm, Service: tt.service, Config: tt.cfg})
			if tt.want == nil {
				require.ErrorIs(t, err, krberr.RealmUnknown)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// Datagrams that are no answer are passed over, and one that is cut short is
// asked for again over TCP.
func TestQueryURI(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func([]byte) [][]byte
		tcp    int32
		err    string
	}{
		{"as it is", func(a []byte) [][]byte { return [][]byte{a} }, 0, ""},
		{"another's answer first", func(a []byte) [][]byte {
			other := slices.Clone(a)
			other[0]++
			question := slices.Clone(a)
			question[13] ^= 1
			return [][]byte{{}, other, a[:5], question, a}
		}, 0, ""},
		{"cut short", func(a []byte) [][]byte { b := slices.Clone(a[:33]); b[2] |= 2; return [][]byte{b} }, 1, ""},
		{"refused", func(a []byte) [][]byte { b := slices.Clone(a); b[3] = 5; return [][]byte{b} }, 0, "code 5"},
		{"malformed", func(a []byte) [][]byte { return [][]byte{a[:len(a)-1]} }, 0, "malformed"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, resolver := newURIDNS(t, uriRecords, tt.change)
			got, err := askDNS(t.Context(), resolver, d.addr, query(t, "_kpasswd.R.TEST."))
			require.Equal(t, tt.tcp, d.tcp.Load())
			if tt.err != "" {
				require.ErrorContains(t, err, tt.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, uriRecords["_kpasswd.R.TEST."], got)
		})
	}
}

func query(t testing.TB, name string) []byte {
	q, err := appendQuery(nil, name)
	require.NoError(t, err)
	return q
}

// Cancellation ends a query at once.
func TestQueryURICancel(t *testing.T) {
	k := newFakeKDC(t, handlers{})
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, k.addr)
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	begin := time.Now()
	_, err := (&Network{Resolver: resolver}).queryURI(ctx, "_kerberos.R.TEST.")
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Less(t, time.Since(begin), time.Second)
}

func TestAppendQuery(t *testing.T) {
	for _, name := range []string{"", ".", "a..b", strings.Repeat("x", 64), strings.Repeat("abcdefg.", 40)} {
		_, err := appendQuery(nil, name)
		require.Error(t, err, "%q", name)
	}
	q := query(t, "_kerberos.R.")
	require.Equal(t, "\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x09_kerberos\x01R\x00\x01\x00\x00\x01", string(q[2:]))
}

// Weights decide among equals, and priority before them.
func TestInOrder(t *testing.T) {
	first := map[string]int{}
	for range 2000 {
		list := []uriRecord{{2, 9, "late", 0}, {1, 1, "light", 0}, {1, 9, "heavy", 0}, {1, 0, "never", 0}}
		inOrder(list)
		require.Equal(t, "late", list[3].target)
		first[list[0].target]++
	}
	require.InDelta(t, 1800, first["heavy"], 150)
	require.InDelta(t, 200, first["light"], 150)
}

func TestAvoid(t *testing.T) {
	d := &fakeDNS{a: map[string][]net.IP{"main.r.test.": {net.IPv4(10, 0, 0, 1)}, "two.r.test.": {net.IPv4(10, 0, 0, 2), net.IPv4(10, 0, 0, 3)}}}
	cfg, err := conf.Parse("[realms]\n R = {\n kdc = x\n primary_kdc = main.r.test\n primary_kdc = two.r.test\n }\n ONE = {\n primary_kdc = main.r.test\n }\n")
	require.NoError(t, err)
	n := &Network{Resolver: d.resolver()}
	main, two := server{"", "main.r.test:88"}, server{"", "two.r.test:88"}
	for _, tt := range []struct {
		realm, avoid string
		want         []server
	}{
		{"R", "", []server{main, two}},
		{"R", "10.0.0.9:88", []server{main, two}},
		{"R", "MAIN.r.test:88", []server{two}},
		{"R", "10.0.0.1:88", []server{two}},
		{"R", "10.0.0.3:88", []server{main}},
		{"R", "10.0.0.3:89", []server{main, two}},
		{"ONE", "10.0.0.1:88", nil},
	} {
		got, err := n.locate(t.Context(), &Request{Realm: tt.realm, Service: Primary, Avoid: tt.avoid, Config: cfg})
		if tt.want == nil {
			require.ErrorIs(t, err, krberr.RealmUnknown)
			continue
		}
		require.NoError(t, err)
		require.Equal(t, tt.want, got, "%s %s", tt.realm, tt.avoid)
	}
	// Of no account for other services.
	got, err := n.locate(t.Context(), &Request{Realm: "R", Avoid: "x:88", Config: cfg})
	require.NoError(t, err)
	require.Equal(t, []server{{"", "x:88"}}, got)
}

// Name servers that do not answer do not hold up the news that a password is
// wrong.
func TestPrimaryPatience(t *testing.T) {
	n := &Network{Resolver: &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}}}
	cfg, err := conf.Parse("[realms]\n R = {\n kdc = x\n }\n")
	require.NoError(t, err)
	begin := time.Now()
	_, err = n.Exchange(t.Context(), &Request{Realm: "R", Service: Primary, Avoid: "x:88", Message: message, Config: cfg})
	require.ErrorIs(t, err, krberr.KDCUnreach)
	require.Less(t, time.Since(begin), 2*dnsTimeout)
}

// The proxy stands in the order of the configuration, and the next server is
// asked when it fails.
func TestHTTPS(t *testing.T) {
	k := newFakeKDC(t, handlers{udp: echoUDP, tcp: echoTCP})
	r := request(t, "", "https://proxy/KdcProxy", k.addr)
	n := &Network{HTTPS: func(_ context.Context, url string, r *Request) ([]byte, error) {
		require.Equal(t, "https://proxy/KdcProxy", url)
		return append(echo(r.Message), "proxied"...), nil
	}}
	var answered string
	r.Answered = func(s string) { answered = s }
	for _, r.TCP = range []bool{false, true} {
		got, err := n.Exchange(t.Context(), r)
		require.NoError(t, err)
		require.Equal(t, append(echo(message), "proxied"...), got)
		require.Equal(t, "https://proxy/KdcProxy", answered)
	}
	r.TCP = false
	for name, f := range map[string]func() ([]byte, error){
		"an error":     func() ([]byte, error) { return nil, krberr.KDCUnreach },
		"no reply":     func() ([]byte, error) { return []byte("HTTP"), nil },
		"far too much": func() ([]byte, error) { return make([]byte, maxMessage+1), nil },
	} {
		n.HTTPS = func(context.Context, string, *Request) ([]byte, error) { return f() }
		got, err := n.Exchange(t.Context(), r)
		require.NoError(t, err, name)
		require.Equal(t, echo(message), got)
	}
	n.HTTPS = func(ctx context.Context, _ string, _ *Request) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := n.Exchange(ctx, request(t, "", "https://proxy/"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func FuzzParseAnswer(f *testing.F) {
	q := query(f, "_kerberos.R.TEST.")
	f.Add((&uriDNS{records: uriRecords}).answer(q)[2:])
	f.Add([]byte{0x84, 0, 0, 1, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		records, err := parseAnswer(append(slices.Clone(q[:2]), b...), q)
		if err == nil && len(records) > len(b)/15 {
			t.Fatalf("%d records in %d bytes", len(records), len(b))
		}
		for _, r := range records {
			if s, _, ok := parseTarget(r.target, portKDC); ok && s.addr == "" {
				t.Fatalf("%q is a server", r.target)
			}
		}
	})
}
