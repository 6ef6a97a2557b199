package krb5_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// fakeDNS makes names aliases of others for the time of a test and counts the
// questions.
func fakeDNS(t *testing.T, aliases map[string]string) *atomic.Int32 {
	t.Helper()
	var asked atomic.Int32
	old := net.DefaultResolver
	t.Cleanup(func() { net.DefaultResolver = old })
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			for {
				var n [2]byte
				if _, err := io.ReadFull(server, n[:]); err != nil {
					return
				}
				q := make([]byte, binary.BigEndian.Uint16(n[:]))
				if _, err := io.ReadFull(server, q); err != nil {
					return
				}
				asked.Add(1)
				a := answerDNS(q, aliases)
				if _, err := server.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(a))), a...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}}
	return &asked
}

// answerDNS answers a question (RFC 1035 §4.1): a CNAME and an address for an
// alias, an address for what is not one.
func answerDNS(q []byte, aliases map[string]string) []byte {
	var labels []string
	at := 12
	for q[at] != 0 {
		n := int(q[at])
		labels = append(labels, string(q[at+1:at+1+n]))
		at += 1 + n
	}
	end := at + 5
	typ := binary.BigEndian.Uint16(q[at+1:])
	name := strings.ToLower(strings.Join(labels, "."))
	real, alias := aliases[name]
	var records []byte
	count := uint16(0)
	add := func(owner []byte, typ uint16, data []byte) {
		records = append(records, owner...)
		records = binary.BigEndian.AppendUint16(records, typ)
		records = append(records, 0, 1, 0, 0, 0, 60)
		records = binary.BigEndian.AppendUint16(records, uint16(len(data)))
		records = append(records, data...)
		count++
	}
	owner := []byte{0xc0, 12}
	if text, ok := aliases[name]; ok && typ == 16 {
		add(owner, 16, append([]byte{byte(len(text))}, text...))
	} else if alias {
		var target []byte
		for l := range strings.SplitSeq(real, ".") {
			target = append(append(target, byte(len(l))), l...)
		}
		target = append(target, 0)
		add(owner, 5, target)
		owner = target
	}
	if typ == 1 {
		add(owner, 1, []byte{127, 0, 0, 1})
	}
	a := append([]byte{q[0], q[1], 0x81, 0x80, 0, 1}, byte(count>>8), byte(count), 0, 0, 0, 0)
	return append(append(a, q[12:end]...), records...)
}

// A service on a host that is asked for by an alias.
func TestCanonicalize(t *testing.T) {
	asked := fakeDNS(t, map[string]string{"alias.example.test": "Server.Example.Test", "known.example.test": host})
	w := newWorld(t, nil, nil)
	w.kdc.AddService("host/known.example.test")
	for _, tc := range []struct {
		name   string
		policy krb5.CanonPolicy
		text   string // dns_canonicalize_hostname
		// The service of the ticket for alias and for known, "" for none, and
		// whether DNS was asked for known.
		alias, known string
		dns          bool
	}{
		{"off", krb5.CanonOff, "true", "", "known.example.test", false},
		{"on", krb5.CanonOn, "false", host, host, true},
		{"fallback", krb5.CanonFallback, "false", host, "known.example.test", false},
		{"true", krb5.CanonConfig, "true", host, host, true},
		{"false", krb5.CanonConfig, "false", "", "known.example.test", false},
		{"fallback, configured", krb5.CanonConfig, "fallback", host, "known.example.test", false},
		{"nothing configured", krb5.CanonConfig, "", host, "known.example.test", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			v := w.with(t, func(c *krb5.Config) {
				c.Canonicalize = tc.policy
				c.ConfigText = strings.Replace(c.ConfigText, "dns_canonicalize_hostname = false", "", 1)
				if tc.text != "" {
					c.ConfigText = "[libdefaults]\ndns_canonicalize_hostname = " + tc.text + "\n" + c.ConfigText
				}
			})
			server, err := v.KeytabCred(ctx, nil, parseKeytab(t, append(w.keytab[:len(w.keytab):len(w.keytab)], w.kdc.UserKeytab("host/known.example.test")[2:]...)))
			require.NoError(t, err)
			reach := func(name, want string) {
				t.Helper()
				i, err := v.Initiate(importName(t, v, "host@"+name, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{v.alice}, Flags: allFlags})
				require.NoError(t, err)
				err = handshake(i, v.accept(t, mech.AcceptRequest{Creds: []mech.Cred{server}}))
				if want == "" {
					require.ErrorIs(t, err, krb5.ErrServerUnknown)
					return
				}
				require.NoError(t, err)
				requireName(t, "host/"+want+"@"+realm, i.Info().AcceptorName)
			}
			reach("ALIAS.example.test.", tc.alias)
			before := asked.Load()
			reach("known.example.test", tc.known)
			require.Equal(t, tc.dns, asked.Load() > before)

			// What is no name is never looked up.
			before = asked.Load()
			for _, text := range []string{"host@192.0.2.1", "host@localhost"} {
				_, err := v.Canonicalize(ctx, importName(t, v, text, oid.NTHostBased))
				require.NoError(t, err)
			}
			require.Equal(t, before, asked.Load())
		})
	}
}

// A resolver that does not answer is no obstacle: the name is taken as it is.
func TestCanonicalizeNoAnswer(t *testing.T) {
	fakeDNS(t, nil)
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		return nil, io.ErrUnexpectedEOF
	}}
	w := newWorld(t, nil, func(c *krb5.Config) { c.Canonicalize = krb5.CanonOn })
	establish(t, w.initiate(t, mech.InitRequest{Flags: allFlags}), w.accept(t, mech.AcceptRequest{}))
}
