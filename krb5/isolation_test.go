package krb5_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

// Two KDCs whose realms have one name, in one process: each credential only
// ever talks to its own, and no ticket of one is good with the other.
func TestTwoRealmsOfOneName(t *testing.T) {
	one := newWorld(t, nil, func(c *krb5.Config) { c.Replay = nil })
	two := newWorld(t, nil, func(c *krb5.Config) { c.Replay = nil })
	for _, p := range [][2]*world{{one, two}, {two, one}} {
		a, b := p[0], p[1]
		before := b.kdc.Requests()
		for _, flags := range styles {
			i, acc := a.flags(t, flags)
			establish(t, i, acc)
		}
		login(t, a.Mechanism)
		_, err := a.alice.Info(ctx)
		require.NoError(t, err)
		require.Equal(t, before, b.kdc.Requests())

		err = handshake(a.initiate(t, mech.InitRequest{Flags: allFlags}), b.accept(t, mech.AcceptRequest{}))
		requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPBadIntegrity)
		// Nor does a credential move.
		_, err = b.Initiate(b.target(t), mech.InitRequest{Creds: []mech.Cred{a.alice}})
		requireCode(t, err, gsserr.ErrDefectiveCredential, 0)
		require.Equal(t, before, b.kdc.Requests())
	}
}

// A mechanism keeps a copy of its Config.
func TestConfigCopied(t *testing.T) {
	w := newWorld(t, nil, nil)
	c := w.config
	m := krb5.New(&c)
	c.KDC, c.Time, c.ConfigText = nil, nil, "garbage["
	login(t, m)
}

// No goroutine outlives a call.
func TestNoGoroutines(t *testing.T) {
	before := runtime.NumGoroutine()
	w, _ := fileWorld(t, nil, nil)
	for _, flags := range styles {
		for range 3 {
			i, a := w.flags(t, flags)
			establish(t, i, a)
			_, _ = i.Close(), a.Close()
		}
	}
	_, err := w.Login(ctx, "alice", &krb5.LoginOptions{Password: secretOf("wrong")})
	require.Error(t, err)
	for range 100 { // those that are about to end may do so
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal(stacks())
}

func stacks() string {
	b := make([]byte, 1<<16)
	return string(b[:runtime.Stack(b, true)])
}
