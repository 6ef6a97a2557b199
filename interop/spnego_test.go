package interop

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/mech/mechtest"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
)

// library is a C library with SPNEGO.
type library struct {
	name   string
	build  func() (string, error)
	second []string // makes Kerberos the initiator's second choice
}

var libraries = []library{
	{"MIT", sync.OnceValues(func() (string, error) { return mitkdc.Build(realm.Dir, "c/spnego.c") }), []string{"offer=unknown,krb5"}},
	{"Heimdal", sync.OnceValues(buildHeimdal), nil},
}

// otherMech compiles c/othermech.c and returns what makes MIT's library load it.
var otherMech = sync.OnceValues(func() (env string, err error) {
	lib, conf := realm.File("othermech.so"), realm.File("mech.conf")
	if msg, err := exec.Command("gcc", "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o", lib, "c/othermech.c").CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w\n%s", err, msg)
	}
	return "GSS_MECH_CONFIG=" + conf, os.WriteFile(conf, []byte("other 1.3.6.1.5.5.127 "+lib+"\n"), 0o600)
})

// buildHeimdal compiles c/spnego.c against Heimdal's libgssapi.
func buildHeimdal() (string, error) {
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "heimdal-gssapi").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pkg-config: %w: %s (Debian: apt-get install heimdal-multidev)", err, flags)
	}
	out := realm.File("spnego-heimdal")
	args := append([]string{"-DHEIMDAL", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations", "-o", out, "c/spnego.c"},
		strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w\n%s", err, msg)
	}
	return out, nil
}

func (l library) start(t *testing.T, env []string, args ...string) *peer {
	t.Helper()
	path, err := l.build()
	require.NoError(t, err)
	other, err := otherMech()
	require.NoError(t, err)
	env = append(env, other)
	return startProgram(t, path, env, args...)
}

const (
	spnegoService = "aes256-sha1"
	spnegoConf    = "aes256-sha1.conf"
	krb5Hex       = "2a864886f712010202"
)

// negotiation establishes a context through SPNEGO with a peer.
type negotiation struct {
	initiate bool // our role
	c        *spnego.Config
	// first is a mechanism that we offer, or like, before Kerberos and the peer
	// does not have.
	first bool
	raw   gssapi.OID // our mechanism, as an initiator; zero is SPNEGO
	flags gssapi.Flags
	omit  gssapi.Flags
	args  []string // further ones of the peer
	mech  string   // what the peer calls the mechanism; "" is Kerberos
	self  string   // what it calls the acceptor; "" is the principal
	// legs are counted.
	legs int
}

// registry has Kerberos, and SPNEGO over it.
func (n *negotiation) registry(t *testing.T, cc string) *mech.Registry {
	t.Helper()
	_, k := engine(t, spnegoConf, cc)
	inner := []mech.Mechanism{k}
	if n.first {
		inner = []mech.Mechanism{mechtest.NewToy("secret", nil), k}
	}
	r, err := mech.NewRegistry(k, spnego.New(n.c, inner...))
	require.NoError(t, err)
	return r
}

func (n *negotiation) wanted() gssapi.Flags { return (gssapi.DefaultFlags | n.flags) &^ n.omit }

// run makes the contexts. start starts the peer, with the role and the service
// among its arguments.
func (n *negotiation) run(t *testing.T, start func(env []string, args ...string) *peer) (p *pair, ourErr, peerErr error) {
	t.Helper()
	cc := kinit(t, spnegoConf, "alice")
	r := n.registry(t, cc)
	p = &pair{flags: n.wanted()}
	args := append([]string{"service=" + spnegoService + "@localhost"}, n.args...)
	var err error
	if n.initiate {
		m := n.raw
		if m.IsZero() {
			m = oid.SPNEGO
		}
		p.ours, err = gssapi.InitContext(gssapi.HostBased(spnegoService, "localhost"), &gssapi.InitOptions{
			Registry: r, Mech: m, Flags: n.flags, Omit: n.omit,
		})
		p.peer = start(environ(spnegoConf, cc), append([]string{"accept"}, args...)...)
	} else {
		p.ours, err = gssapi.AcceptContext(&gssapi.AcceptOptions{Registry: r})
		p.peer = start(environ(spnegoConf, cc), append([]string{"initiate", fmt.Sprintf("flags=%x", uint32(n.wanted()))}, args...)...)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.ours.Close()) })
	count := func(b []byte) { n.legs++; t.Logf("leg %d: %x", n.legs, b) }
	ourErr = gssapi.Exchange(testContext(t), p.ours,
		func(b []byte) error { count(b); return p.peer.send(b) },
		func() ([]byte, error) {
			b, err := p.peer.recv()
			count(b)
			return b, err
		})
	if ourErr != nil {
		require.NoError(t, p.peer.in.Close())
	}
	p.said, peerErr = p.peer.established()
	return p, ourErr, peerErr
}

// establish is run for a context that has to come about, and checks what both
// sides say of it.
func (n *negotiation) establish(t *testing.T, start func(env []string, args ...string) *peer) *pair {
	t.Helper()
	p, ourErr, peerErr := n.run(t, start)
	require.NoError(t, ourErr)
	require.NoError(t, peerErr)
	service := spnegoService + "/localhost@" + realmName
	i := p.ours.Info()
	require.Equal(t, oid.Krb5, i.Mech)
	require.Equal(t, n.raw.IsZero() && !strings.Contains(fmt.Sprint(n.args), "mech="), i.Negotiated)
	require.True(t, i.Flags.Has(p.flags), "our flags %v lack some of %v", i.Flags, p.flags)
	require.Zero(t, i.Flags&n.omit)
	require.Equal(t, "alice@"+realmName, p.said.initiator)
	require.Equal(t, cmp.Or(n.self, service), p.said.acceptor)
	require.Equal(t, cmp.Or(n.mech, krb5Hex), p.said.mech)
	require.True(t, gssapi.Flags(p.said.flags).Has(p.flags), "the peer's flags %x lack some of %x", p.said.flags, p.flags)
	require.Equal(t, !n.initiate, p.said.local)
	switch {
	case !n.initiate:
		require.Equal(t, "alice@"+realmName, p.ours.Peer().String())
	case n.omit.Has(gssapi.FlagMutual):
		require.True(t, p.ours.Peer().IsZero())
	default:
		require.Equal(t, service, p.ours.Peer().String())
	}
	return p
}

// messages sends some of the kinds each way.
func (p *pair) messages(t *testing.T, ks ...kind) {
	t.Helper()
	for n := range 5 {
		msg := make([]byte, 100*n)
		for _, k := range ks {
			_, err := p.give(t, k, msg, p.make(t, k, msg))
			require.NoError(t, err)
			_, err = p.take(t, k, msg, p.theirs(k, msg))
			require.NoError(t, err)
		}
	}
}

// shapes are the handshakes of Kerberos.
var shapes = []struct {
	name        string
	flags, omit gssapi.Flags
	legs        int // through SPNEGO
}{
	{"mutual", 0, 0, 2},
	{"one-way", 0, gssapi.FlagMutual, 2},
	{"DCE style", gssapi.FlagDCEStyle, 0, 4},
}

// What C libraries do not do. The reason is part of our error or the peer's.
var spnegoLimits = map[string]string{
	// RFC 4178 §5 lets an acceptor leave the mechListMIC out, and they do.
	"MIT/initiate/mutual/required":     "no mechListMIC",
	"Heimdal/initiate/mutual/required": "no mechListMIC",
	// Heimdal leaves it out as well if the choice was the first of its own list.
	// MIT's initiators refuse that too.
	"Heimdal/initiate/mutual/not the first": "no mechListMIC",
	// Heimdal's initiator takes request-mic for the end if it is complete.
	"Heimdal/accept/one-way/required": "init_sec_context",
}

// Each library in each role: Kerberos as the first choice, with and without a
// mechListMIC, and as the second.
func TestSPNEGO(t *testing.T) {
	for _, lib := range libraries {
		for _, role := range []string{"initiate", "accept"} {
			for _, shape := range shapes {
				for _, how := range []string{"first", "required", "not the first"} {
					if how == "not the first" && role == "accept" && lib.second == nil {
						continue
					}
					name := strings.Join([]string{lib.name, role, shape.name, how}, "/")
					t.Run(name, func(t *testing.T) {
						n := &negotiation{initiate: role == "initiate", flags: shape.flags, omit: shape.omit}
						switch how {
						case "required":
							n.c = &spnego.Config{RequireMechListMIC: true}
						case "not the first":
							if !n.initiate {
								n.args = append(n.args, lib.second...)
							}
							n.first = n.initiate
						}
						if lib.name == "Heimdal" && n.omit.Has(gssapi.FlagMutual) {
							// Heimdal's initiator expects the acceptor's numbers to
							// begin with 0, RFC 4121 §4.1.1 has none to begin with.
							n.omit |= gssapi.FlagReplay | gssapi.FlagSequence
						}
						start := func(env []string, args ...string) *peer { return lib.start(t, env, args...) }
						if why, ok := spnegoLimits[name]; ok {
							_, ourErr, peerErr := n.run(t, start)
							require.Error(t, ourErr)
							require.ErrorContains(t, errors.Join(ourErr, peerErr), why)
							return
						}
						p := n.establish(t, start)
						if how == "first" {
							require.Equal(t, shape.legs, n.legs)
						} else if how == "not the first" {
							require.Greater(t, n.legs, shape.legs)
						}
						if lib.name == "Heimdal" && n.flags.Has(gssapi.FlagDCEStyle) {
							// What is encrypted by gss_wrap differs there, and from
							// MIT's too; DCE RPC uses gss_wrap_iov.
							p.messages(t, signed, mic)
							return
						}
						p.messages(t, sealed, signed, mic)
					})
				}
			}
		}
	}
}

// Lists that MIT's initiator can be made to send, and what we take of them.
func TestSPNEGOOffers(t *testing.T) {
	for _, tt := range []struct {
		offer string
		legs  int
	}{
		{"krb5", 2},
		{"krb5,unknown", 2},
		{"unknown,krb5", 5},
	} {
		t.Run(tt.offer, func(t *testing.T) {
			n := &negotiation{args: []string{"offer=" + tt.offer}}
			p := n.establish(t, func(env []string, args ...string) *peer { return libraries[0].start(t, env, args...) })
			require.Equal(t, tt.legs, n.legs)
			p.messages(t, sealed, signed, mic)
		})
	}
}

// Without SPNEGO, but with it at hand: Kerberos is answered in kind.
func TestSPNEGORaw(t *testing.T) {
	for _, lib := range libraries {
		for _, shape := range shapes[:2] {
			t.Run(lib.name+"/accept/"+shape.name, func(t *testing.T) {
				n := &negotiation{omit: shape.omit, args: []string{"mech=krb5"}}
				if lib.name == "Heimdal" && shape.omit != 0 {
					n.omit |= gssapi.FlagReplay | gssapi.FlagSequence
				}
				p := n.establish(t, func(env []string, args ...string) *peer { return lib.start(t, env, args...) })
				p.messages(t, sealed, signed, mic)
			})
			t.Run(lib.name+"/initiate/"+shape.name, func(t *testing.T) {
				n := &negotiation{initiate: true, raw: oid.Krb5, omit: shape.omit}
				p := n.establish(t, func(env []string, args ...string) *peer { return lib.start(t, env, args...) })
				p.messages(t, sealed, signed, mic)
			})
		}
	}
	t.Run("Microsoft's OID", func(t *testing.T) {
		n := &negotiation{args: []string{"mech=ms-krb5"}, mech: "2a864882f712010202"}
		p := n.establish(t, func(env []string, args ...string) *peer { return libraries[0].start(t, env, args...) })
		p.messages(t, sealed, signed, mic)
	})
}

// An acceptor that is asked to speak first.
func TestSPNEGOHint(t *testing.T) {
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			cc := kinit(t, spnegoConf, "alice")
			r := (&negotiation{}).registry(t, cc)
			p := lib.start(t, environ(spnegoConf, cc), "accept", "service="+spnegoService+"@localhost")
			require.NoError(t, p.send(nil))
			token, err := p.recv()
			require.NoError(t, err)
			c, err := gssapi.InitContext(gssapi.HostBased(spnegoService, "localhost"), &gssapi.InitOptions{Registry: r, Mech: oid.SPNEGO})
			require.NoError(t, err)
			defer c.Close()
			for more := true; more; {
				var out []byte
				out, more, err = c.Step(testContext(t), token)
				require.NoError(t, err)
				if len(out) > 0 {
					require.NoError(t, p.send(out))
				}
				if more {
					token, err = p.recv()
					require.NoError(t, err)
				}
			}
			_, err = p.established()
			require.NoError(t, err)
		})
	}
}

// failed is why a peer has ended, whatever tokens it still sends.
func (p *peer) failed() error {
	for {
		frame, err := p.read()
		if err != nil {
			return err
		}
		if len(frame) > 0 && frame[0] == 'E' {
			return errors.New(string(frame[1:]))
		}
	}
}

// Failures are understood on both sides.
func TestSPNEGOFailures(t *testing.T) {
	for _, lib := range libraries {
		t.Run(lib.name, func(t *testing.T) {
			cc := kinit(t, spnegoConf, "alice")
			service := spnegoService + "@localhost"
			t.Run("our mechanisms are unknown to the acceptor", func(t *testing.T) {
				toy := mechtest.NewToy("secret", nil)
				r, err := mech.NewRegistry(toy, spnego.New(nil, toy))
				require.NoError(t, err)
				c, err := gssapi.InitContext(gssapi.HostBased(spnegoService, "localhost"), &gssapi.InitOptions{Registry: r, Mech: oid.SPNEGO})
				require.NoError(t, err)
				defer c.Close()
				p := lib.start(t, environ(spnegoConf, cc), "accept", "service="+service)
				err = gssapi.Exchange(testContext(t), c, p.send, p.recv)
				if lib.name == "MIT" { // the others send no reject
					require.ErrorIs(t, err, gssapi.ErrBadMech)
				}
				require.Error(t, err)
			})
			t.Run("our acceptor does not know theirs", func(t *testing.T) {
				toy := mechtest.NewToy("secret", nil)
				r, err := mech.NewRegistry(toy, spnego.New(nil, toy))
				require.NoError(t, err)
				c, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Registry: r})
				require.NoError(t, err)
				defer c.Close()
				p := lib.start(t, environ(spnegoConf, cc), "initiate", "service="+service)
				err = gssapi.Exchange(testContext(t), c, p.send, p.recv)
				require.ErrorIs(t, err, gssapi.ErrBadMech)
				require.ErrorContains(t, err, "Kerberos (1.2.840.113554.1.2.2)")
				require.ErrorContains(t, p.failed(), "init_sec_context") // it has read the reject
			})
			t.Run("wrong key, theirs", func(t *testing.T) {
				r := (&negotiation{}).registry(t, cc)
				c, err := gssapi.InitContext(gssapi.HostBased(spnegoService, "localhost"), &gssapi.InitOptions{Registry: r, Mech: oid.SPNEGO})
				require.NoError(t, err)
				defer c.Close()
				p := lib.start(t, environ(spnegoConf, cc), "accept", "service="+spnegoService+"-2@localhost")
				require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
			})
			t.Run("wrong key, ours", func(t *testing.T) {
				r := (&negotiation{}).registry(t, cc)
				c, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, spnegoService+"-2")})
				require.NoError(t, err)
				defer c.Close()
				p := lib.start(t, environ(spnegoConf, cc), "initiate", "service="+service)
				require.Error(t, gssapi.Exchange(testContext(t), c, p.send, p.recv))
				require.ErrorContains(t, p.failed(), "init_sec_context")
			})
		})
	}
}

// MIT's sample programs with SPNEGO.
func TestSPNEGOSamples(t *testing.T) {
	for _, side := range []struct {
		name, client, server string
		args                 []string
	}{
		{"MIT client, our server", "gss-client", programs.server, []string{"-spnego"}},
		{"our client, MIT server", programs.client, "gss-server", []string{"-mech", "spnego"}},
		{"our client, our server", programs.client, programs.server, []string{"-mech", "spnego"}},
	} {
		t.Run(side.name, func(t *testing.T) {
			server := startServer(t, side.server, spnegoConf, spnegoService)
			env := environ(spnegoConf, kinit(t, spnegoConf, "alice"))
			for _, tt := range sampleCases[:7] {
				tt.args = append(append([]string{}, side.args...), tt.args...)
				t.Run(tt.name, func(t *testing.T) { tt.run(t, side.client, server, env, spnegoService) })
			}
		})
	}
}
