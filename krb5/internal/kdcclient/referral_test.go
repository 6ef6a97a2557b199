package kdcclient

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// answerAs makes the fake KDC answer with a ticket for another server; the zero
// name leaves the server that was asked for.
func (k *fakeKDC) answerAs(server func(asked principal.Name, options uint32) principal.Name) {
	k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) {
		if r.Type != wire.MsgTGSRep {
			return
		}
		if s := server(p.Server, k.last().Body.Options); !s.IsZero() {
			p.Server, r.Ticket.Server = s, s
		}
	}
}

// asked returns what the KDC was asked for.
func (k *fakeKDC) asked() []string {
	var list []string
	for i, r := range k.requests {
		list = append(list, k.seen[i].Realm+": "+r.Body.Server.String())
	}
	return list
}

// referrals answers every request in a realm with a ticket-granting ticket for
// the next, and in the last with what was asked for.
func (k *fakeKDC) referrals(realms ...string) {
	next := make(map[string]string)
	for i, r := range realms[1:] {
		next[realms[i]] = r
	}
	k.answerAs(func(asked principal.Name, _ uint32) principal.Name {
		if to := next[asked.Realm]; to != "" {
			return principal.TGS(asked.Realm, to)
		}
		return principal.Name{}
	})
}

func hops(n int) []string {
	realms := []string{"EXAMPLE.COM"}
	for i := range n {
		realms = append(realms, fmt.Sprintf("R%d.TEST", i+1))
	}
	return realms
}

func TestServerReferral(t *testing.T) {
	for _, n := range []int{0, 1, 2, maxReferrals} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			k.requests, k.seen = nil, nil
			k.referrals(hops(n)...)
			var kept []*ccache.Credential
			got, err := c.Ticket(t.Context(), tgt, imap.WithRealm(""), &TicketOptions{
				Keep: func(c *ccache.Credential) { kept = append(kept, c) },
			})
			require.NoError(t, err)
			last := hops(n)[n]
			require.True(t, got.Server.Equal(imap.WithRealm(last)), "%s", got.Server)
			require.True(t, got.Client.Equal(alice))
			require.Len(t, k.requests, n+1)
			require.Len(t, kept, n)
			for i, r := range hops(n) {
				require.Equal(t, r, k.seen[i].Realm)
				require.Equal(t, r, k.requests[i].Body.Realm)
				require.NotZero(t, k.requests[i].Body.Options&wire.OptCanonicalize)
			}
		})
	}
}

func TestReferralsWithoutEnd(t *testing.T) {
	for name, next := range map[string]func(string) string{
		"loop of two":   func(r string) string { return map[string]string{"EXAMPLE.COM": "B.TEST", "B.TEST": "EXAMPLE.COM"}[r] },
		"loop of three": func(r string) string { return map[string]string{"EXAMPLE.COM": "B", "B": "C", "C": "B"}[r] },
		"to itself":     func(r string) string { return r },
		"on and on":     func(r string) string { return "X." + r },
	} {
		t.Run(name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			tgt := getTGT(t, c)
			k.requests = nil
			k.answerAs(func(asked principal.Name, _ uint32) principal.Name {
				return principal.TGS(asked.Realm, next(asked.Realm))
			})
			_, err := c.Ticket(t.Context(), tgt, imap.WithRealm(""), nil)
			require.ErrorIs(t, err, krberr.KDCUnreach)
			require.LessOrEqual(t, len(k.requests), maxReferrals+1)
		})
	}
	t.Run("of another realm", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		k.answerAs(func(principal.Name, uint32) principal.Name { return principal.TGS("EVIL.TEST", "B.TEST") })
		_, err := c.Ticket(t.Context(), tgt, imap.WithRealm(""), nil)
		require.ErrorIs(t, err, krberr.KDCRepModified)
	})
}

// Another name in the reply counts only if the KDC does not know the one that
// was asked for.
func TestServerAlias(t *testing.T) {
	alias := principal.New("EXAMPLE.COM", "imap", "mx1.example.com")
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	k.answerAs(func(_ principal.Name, options uint32) principal.Name {
		if options&wire.OptCanonicalize != 0 {
			return alias
		}
		return principal.Name{}
	})
	got, err := c.Ticket(t.Context(), tgt, imap, nil)
	require.NoError(t, err)
	require.True(t, got.Server.Equal(imap))

	k.instead = func(_ int, _ *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
		if req.Body.Options&wire.OptCanonicalize == 0 {
			return k.fail(krberr.KDCServerUnknown, nil), nil
		}
		return nil, nil
	}
	got, err = c.Ticket(t.Context(), tgt, imap, nil)
	require.NoError(t, err)
	require.True(t, got.Server.Equal(alias))

	// Nobody asked for canonicalization: then it is a lie.
	k.instead = nil
	k.answerAs(func(principal.Name, uint32) principal.Name { return alias })
	_, err = c.Ticket(t.Context(), tgt, imap, nil)
	require.ErrorIs(t, err, krberr.KDCRepModified)
}

// The realms between two are tried from the far end, and a KDC that names a
// nearer one is followed.
func TestRealmPath(t *testing.T) {
	const capaths = "[capaths]\n EXAMPLE.COM = {\n  FAR.TEST = A.TEST\n  FAR.TEST = B.TEST\n  NEAR.TEST = .\n }\n"
	for _, tc := range []struct {
		name  string
		realm string
		knows map[string][]string // realms with a common key
		asked []string
		ok    bool
	}{
		{"directly", "FAR.TEST", map[string][]string{"EXAMPLE.COM": {"FAR.TEST"}},
			[]string{"EXAMPLE.COM: krbtgt/FAR.TEST@EXAMPLE.COM"}, true},
		{"by capaths", "FAR.TEST", map[string][]string{"EXAMPLE.COM": {"A.TEST"}, "A.TEST": {"FAR.TEST"}},
			[]string{"EXAMPLE.COM: krbtgt/FAR.TEST@EXAMPLE.COM", "EXAMPLE.COM: krbtgt/B.TEST@EXAMPLE.COM",
				"EXAMPLE.COM: krbtgt/A.TEST@EXAMPLE.COM", "A.TEST: krbtgt/FAR.TEST@A.TEST"}, true},
		{"capaths without a way", "FAR.TEST", nil,
			[]string{"EXAMPLE.COM: krbtgt/FAR.TEST@EXAMPLE.COM", "EXAMPLE.COM: krbtgt/B.TEST@EXAMPLE.COM",
				"EXAMPLE.COM: krbtgt/A.TEST@EXAMPLE.COM"}, false},
		{"only directly", "NEAR.TEST", nil, []string{"EXAMPLE.COM: krbtgt/NEAR.TEST@EXAMPLE.COM"}, false},
		{"hierarchy", "DEEP.SUB.EXAMPLE.COM", map[string][]string{"EXAMPLE.COM": {"SUB.EXAMPLE.COM"}, "SUB.EXAMPLE.COM": {"DEEP.SUB.EXAMPLE.COM"}},
			[]string{"EXAMPLE.COM: krbtgt/DEEP.SUB.EXAMPLE.COM@EXAMPLE.COM", "EXAMPLE.COM: krbtgt/SUB.EXAMPLE.COM@EXAMPLE.COM",
				"SUB.EXAMPLE.COM: krbtgt/DEEP.SUB.EXAMPLE.COM@SUB.EXAMPLE.COM"}, true},
		{"siblings", "OTHER.COM", map[string][]string{"EXAMPLE.COM": {"COM"}, "COM": {"OTHER.COM"}},
			[]string{"EXAMPLE.COM: krbtgt/OTHER.COM@EXAMPLE.COM", "EXAMPLE.COM: krbtgt/COM@EXAMPLE.COM", "COM: krbtgt/OTHER.COM@COM"}, true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "\n"+capaths)
			tgt := getTGT(t, c)
			k.requests, k.seen = nil, nil
			k.instead = func(_ int, r *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
				for _, realm := range tc.knows[r.Realm] {
					if req.Body.Server.Components[1] == realm {
						return nil, nil
					}
				}
				return k.fail(krberr.KDCServerUnknown, nil), nil
			}
			got, err := c.TGT(t.Context(), tgt, tc.realm, nil)
			require.Equal(t, tc.asked, k.asked())
			if !tc.ok {
				require.ErrorIs(t, err, krberr.KDCServerUnknown)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.realm, got.Server.Components[1])
			require.True(t, got.Client.Equal(alice))
		})
	}
	t.Run("a nearer one", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		k.answerAs(func(asked principal.Name, _ uint32) principal.Name {
			if asked.Realm == "EXAMPLE.COM" {
				return principal.TGS("EXAMPLE.COM", "HUB.TEST")
			}
			return principal.Name{}
		})
		got, err := c.TGT(t.Context(), tgt, "FAR.TEST", nil)
		require.NoError(t, err)
		require.True(t, got.Server.Equal(principal.TGS("HUB.TEST", "FAR.TEST")))
	})
	t.Run("a circle", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		k.answerAs(func(asked principal.Name, _ uint32) principal.Name {
			return principal.TGS(asked.Realm, map[string]string{"EXAMPLE.COM": "HUB", "HUB": "EXAMPLE.COM"}[asked.Realm])
		})
		_, err := c.TGT(t.Context(), tgt, "FAR.TEST", nil)
		require.ErrorIs(t, err, krberr.KDCUnreach)
	})
	t.Run("known already", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		cross, err := c.TGT(t.Context(), tgt, "FAR.TEST", nil)
		require.NoError(t, err)
		n := len(k.requests)
		got, err := c.TGT(t.Context(), tgt, "FAR.TEST", &TicketOptions{Known: func(s principal.Name) *ccache.Credential {
			require.True(t, s.Equal(cross.Server))
			return cross
		}})
		require.NoError(t, err)
		require.Same(t, cross, got)
		require.Len(t, k.requests, n)
	})
}

// Whether a service may be delegated to is for each realm on the way to vouch.
func TestOKAsDelegate(t *testing.T) {
	for _, vouches := range []bool{false, true} {
		k := newKDC(t)
		c := newClient(t, k, "")
		tgt := getTGT(t, c)
		k.part = func(_ *wire.KDCRep, p *wire.EncKDCRepPart) {
			if !p.Server.IsTGS() || vouches {
				p.Flags |= wire.FlagOKAsDelegate
			}
		}
		got, err := c.Ticket(t.Context(), tgt, imap, nil)
		require.NoError(t, err)
		require.NotZero(t, got.Flags&wire.FlagOKAsDelegate, "its own realm needs nobody")
		got, err = c.Ticket(t.Context(), tgt, imap.WithRealm("OTHER.TEST"), nil)
		require.NoError(t, err)
		require.Equal(t, vouches, got.Flags&wire.FlagOKAsDelegate != 0)
	}
}

func TestClientReferral(t *testing.T) {
	enterprise := principal.Name{Type: principal.TypeEnterprise, Realm: "EXAMPLE.COM", Components: []string{"alice@corp.test"}}
	refer := func(k *fakeKDC, to map[string]string) func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) {
		return func(_ int, r *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			if next, ok := to[r.Realm]; ok {
				return k.fail(krberr.KDCWrongRealm, func(e *wire.KRBError) { e.Client = principal.New(next, "alice") }), nil
			}
			return nil, nil
		}
	}
	login := func(k *fakeKDC, c *Client, client principal.Name, canonicalize bool) (*Result, error) {
		return c.Login(t.Context(), &LoginRequest{Client: client, Canonicalize: canonicalize, Password: func() []byte { return []byte(password) }})
	}
	t.Run("followed", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		k.instead = refer(k, map[string]string{"EXAMPLE.COM": "HUB.TEST", "HUB.TEST": "CORP.TEST"})
		k.part = func(r *wire.KDCRep, p *wire.EncKDCRepPart) { r.Client = principal.New("CORP.TEST", "alice") }
		got, err := login(k, c, enterprise, false)
		require.NoError(t, err)
		require.Equal(t, "alice@CORP.TEST", got.Client.String())
		require.Equal(t, "krbtgt/CORP.TEST@CORP.TEST", got.Server.String())
		last := k.last().Body
		require.Equal(t, "CORP.TEST", last.Realm)
		require.Equal(t, principal.TypeEnterprise, last.Client.Type)
		require.NotZero(t, last.Options&wire.OptCanonicalize)
		require.Equal(t, 1, k.proofs, "the password was used in the right realm alone")
	})
	t.Run("plain name", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		k.instead = refer(k, map[string]string{"EXAMPLE.COM": "CORP.TEST"})
		_, err := login(k, c, alice, true)
		require.NoError(t, err)
		_, err = login(k, c, alice, false)
		require.ErrorIs(t, err, krberr.KDCWrongRealm)
		require.ErrorContains(t, err, "CORP.TEST")
	})
	for name, to := range map[string]map[string]string{
		"loop":    {"EXAMPLE.COM": "B.TEST", "B.TEST": "EXAMPLE.COM"},
		"itself":  {"EXAMPLE.COM": "EXAMPLE.COM"},
		"nowhere": {"EXAMPLE.COM": ""},
	} {
		t.Run(name, func(t *testing.T) {
			k := newKDC(t)
			c := newClient(t, k, "")
			k.instead = refer(k, to)
			_, err := login(k, c, enterprise, false)
			require.ErrorIs(t, err, krberr.KDCWrongRealm)
			require.Less(t, len(k.requests), 5)
		})
	}
	t.Run("on and on", func(t *testing.T) {
		k := newKDC(t)
		c := newClient(t, k, "")
		k.instead = func(_ int, r *kdcnet.Request, _ *wire.KDCReq) ([]byte, error) {
			return k.fail(krberr.KDCWrongRealm, func(e *wire.KRBError) { e.Client = principal.New("X."+r.Realm, "alice") }), nil
		}
		_, err := login(k, c, enterprise, false)
		require.ErrorIs(t, err, krberr.KDCUnreach)
		require.Len(t, k.requests, maxReferrals+1)
		require.True(t, strings.HasPrefix(k.seen[maxReferrals].Realm, "X."))
	})
}

// A KDC that can do nothing with a list of enctypes is asked for each.
func TestEtypeFallback(t *testing.T) {
	k := newKDC(t)
	c := newClient(t, k, "")
	tgt := getTGT(t, c)
	k.requests = nil
	k.instead = func(_ int, _ *kdcnet.Request, req *wire.KDCReq) ([]byte, error) {
		if len(req.Body.Etypes) == 1 && req.Body.Etypes[0] == etype.AES256SHA2 {
			return nil, nil
		}
		return k.fail(krberr.KDCEtypeNosupp, nil), nil
	}
	got, err := c.Ticket(t.Context(), tgt, imap, nil)
	require.NoError(t, err)
	require.Equal(t, etype.AES256SHA2, got.Key.Enctype)
	require.Len(t, k.requests, 4)

	_, err = c.Ticket(t.Context(), tgt, imap, &TicketOptions{Enctypes: []etype.ID{17, 18}})
	require.ErrorIs(t, err, krberr.KDCEtypeNosupp)
	require.Len(t, k.requests, 4+3)
	_, err = c.Ticket(t.Context(), tgt, imap, &TicketOptions{Enctypes: []etype.ID{17}})
	require.ErrorIs(t, err, krberr.KDCEtypeNosupp)
	require.Len(t, k.requests, 4+3+1)
}
