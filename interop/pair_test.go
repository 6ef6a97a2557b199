package interop

import (
	"cmp"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
)

// pair is an established context: our side and the peer's.
type pair struct {
	ours  *gssapi.SecContext
	peer  *peer
	said  *report // what the peer says of it
	flags gssapi.Flags
}

// attempt establishes a context for a service of one enctype, and returns our
// error or the peer's.
type attempt struct {
	enctype  string // short name; also that of the service
	conf     string // configuration of both, "" is the one that permits the enctype alone
	initiate bool   // our role
	omit     gssapi.Flags
	flags    gssapi.Flags // on top of mutual, replay, sequence, conf and integ
	ours     *gssapi.ChannelBindings
	optional bool   // an initiator may leave out the bindings we have
	theirs   string // the peer's bindings
}

func (a *attempt) wanted() gssapi.Flags {
	return (gssapi.DefaultFlags | a.flags) &^ a.omit
}

func (a *attempt) run(t *testing.T) (p *pair, ourErr, peerErr error) {
	t.Helper()
	ctx := testContext(t)
	conf := cmp.Or(a.conf, a.enctype+".conf")
	var args []string
	if a.theirs != "" {
		args = append(args, "bindings="+a.theirs)
	}
	service := "service=" + a.enctype + "@localhost"
	cc := kinit(t, conf, "alice")
	r, _ := engine(t, conf, cc)
	p = &pair{flags: a.wanted()}
	var err error
	if a.initiate {
		p.ours, err = gssapi.InitContext(gssapi.HostBased(a.enctype, "localhost"), &gssapi.InitOptions{
			Registry: r, Flags: a.flags, Omit: a.omit, Bindings: a.ours,
		})
		p.peer = startPeer(t, environ(conf, cc), "accept", append(args, service)...)
	} else {
		p.ours, err = gssapi.AcceptContext(&gssapi.AcceptOptions{
			Cred: acceptor(t, r, a.enctype), Bindings: a.ours, BindingsOptional: a.optional,
		})
		args = append(args, service, fmt.Sprintf("flags=%x", uint32(a.wanted())))
		p.peer = startPeer(t, environ(conf, cc), "initiate", args...)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.ours.Close()) })
	ourErr = gssapi.Exchange(ctx, p.ours, p.peer.send, p.peer.recv)
	if ourErr != nil {
		// Its input ends here, or the peer would wait for our next token.
		require.NoError(t, p.peer.in.Close())
	}
	p.said, peerErr = p.peer.established()
	return p, ourErr, peerErr
}

// establish is run for a context that has to come about. It checks what both
// sides say of it.
func (a *attempt) establish(t *testing.T) *pair {
	t.Helper()
	p, ourErr, peerErr := a.run(t)
	require.NoError(t, ourErr)
	require.NoError(t, peerErr)

	service := a.enctype + "/localhost@" + realmName
	i := p.ours.Info()
	require.Equal(t, a.initiate, i.IsInitiator)
	require.True(t, i.Flags.Has(p.flags), "our flags %v lack some of %v", i.Flags, p.flags)
	require.Zero(t, i.Flags&a.omit)
	require.Equal(t, "alice@"+realmName, p.said.initiator)
	require.Equal(t, service, p.said.acceptor)
	require.Equal(t, "{ 1 2 840 113554 1 2 2 }", p.said.mech)
	require.True(t, gssapi.Flags(p.said.flags).Has(p.flags), "the peer's flags %x lack some of %x", p.said.flags, p.flags)
	require.Zero(t, gssapi.Flags(p.said.flags)&a.omit)
	require.True(t, p.said.open)
	require.Equal(t, !a.initiate, p.said.local)
	require.InDelta(t, time.Until(p.ours.Expires()).Seconds(), p.said.lifetime, 305, "both count the ticket's end, give or take the skew")
	switch {
	case !a.initiate:
		require.Equal(t, "alice@"+realmName, p.ours.Peer().String())
	case a.omit.Has(gssapi.FlagMutual):
		require.True(t, p.ours.Peer().IsZero(), "nobody has proved to be the acceptor")
	default:
		require.Equal(t, service, p.ours.Peer().String())
	}
	return p
}

// eachRole runs f for every enctype in both roles.
func eachRole(t *testing.T, f func(t *testing.T, a *attempt)) {
	for _, e := range enctypes {
		for _, role := range []string{"initiate", "accept"} {
			t.Run(e.short+"/"+role, func(t *testing.T) {
				f(t, &attempt{enctype: e.short, initiate: role == "initiate"})
			})
		}
	}
}
