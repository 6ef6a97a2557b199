package krb5_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/apreq"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// delegator is a world in which alice's ticket can be forwarded.
func delegator(t testing.TB, o *testenv.Options, change func(*krb5.Config)) *world {
	t.Helper()
	w := newWorld(t, o, change)
	var err error
	w.alice, err = w.Login(ctx, "alice", &krb5.LoginOptions{Password: secret, Forwardable: true})
	require.NoError(t, err)
	return w
}

func secret() []byte { return []byte(password) }

// TestDelegate: the acceptor gets a credential with which it is alice.
func TestDelegate(t *testing.T) {
	for _, id := range enctypes {
		for _, flags := range []mech.Flags{allFlags, onewayFlags} {
			t.Run(caseName(id, flags), func(t *testing.T) {
				w := delegator(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
				i, a := w.flags(t, flags|mech.FlagDeleg)
				establish(t, i, a)
				require.True(t, i.Info().Flags.Has(mech.FlagDeleg))
				require.True(t, a.Info().Flags.Has(mech.FlagDeleg))
				require.False(t, i.Info().Flags.Has(mech.FlagDelegPolicy))
				require.Nil(t, i.Info().Delegated)
				d := a.Info().Delegated
				require.NotNil(t, d)
				require.Equal(t, mech.UsageInitiate, d.Usage())
				info, err := d.Info(ctx)
				require.NoError(t, err)
				require.Equal(t, "alice@"+realm, info.Name.(interface{ String() string }).String())
				exchange(t, i, a)

				// It can be used, and handed on once more.
				i2, a2 := w.initiate(t, mech.InitRequest{Creds: []mech.Cred{d}, Flags: flags | mech.FlagDeleg}), w.accept(t, mech.AcceptRequest{})
				establish(t, i2, a2)
				require.True(t, a2.Info().InitiatorName.Equal(a.Info().InitiatorName))
				require.NotNil(t, a2.Info().Delegated)

				// It can be stored, and is what MIT calls forwarded.
				file := tempFile(t, "ccache")
				_, err = d.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": "FILE:" + file}})
				require.NoError(t, err)
				cc, err := ccache.Resolve(t.Context(), "FILE:"+file, nil)
				require.NoError(t, err)
				creds, err := ccache.Credentials(ctx, cc)
				require.NoError(t, err)
				require.Equal(t, uint32(0x60000000), creds[0].Flags&0x60000000, "forwardable and forwarded")
			})
		}
	}
}

// TestDelegationPolicy: who asks how, what the KDC says, and what comes of it.
func TestDelegationPolicy(t *testing.T) {
	const both = mech.FlagDeleg | mech.FlagDelegPolicy
	for _, tc := range []struct {
		name          string
		ask           mech.Flags
		enforce, ok   bool
		unforwardable bool
		want          mech.Flags
	}{
		{name: "not asked for"},
		{name: "asked for", ask: mech.FlagDeleg, want: mech.FlagDeleg},
		{name: "asked for, trusted", ask: mech.FlagDeleg, ok: true, want: mech.FlagDeleg},
		{name: "by policy", ask: mech.FlagDelegPolicy},
		{name: "by policy, trusted", ask: mech.FlagDelegPolicy, ok: true, want: both},
		{name: "both", ask: both, want: mech.FlagDeleg},
		{name: "both, trusted", ask: both, ok: true, want: both},
		{name: "enforced", ask: mech.FlagDeleg, enforce: true},
		{name: "enforced, trusted", ask: mech.FlagDeleg, enforce: true, ok: true, want: both},
		{name: "enforced, both", ask: both, enforce: true},
		{name: "not forwardable", ask: mech.FlagDeleg, unforwardable: true},
		{name: "not forwardable, trusted", ask: both, ok: true, unforwardable: true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			w := delegator(t, nil, func(c *krb5.Config) {
				if tc.enforce {
					c.ConfigText += "\n[libdefaults]\n\tenforce_ok_as_delegate = true\n"
				}
			})
			w.kdc.OKAsDelegate(service, tc.ok)
			if tc.unforwardable {
				w.alice = login(t, w.Mechanism)
			}
			i, a := w.flags(t, allFlags|tc.ask)
			establish(t, i, a)
			require.Equal(t, tc.want, i.Info().Flags&both)
			require.Equal(t, tc.want&mech.FlagDeleg, a.Info().Flags&both, "the acceptor does not show the policy flag")
			require.Equal(t, tc.want != 0, a.Info().Delegated != nil)

			// What is required and cannot be had ends it before a token leaves.
			i = w.initiate(t, mech.InitRequest{Flags: allFlags | tc.ask, Require: mech.FlagDeleg})
			out, _, err := i.Step(ctx, nil)
			if tc.want != 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, gsserr.ErrUnavailable)
			require.Empty(t, out)
		})
	}
}

// A KDC that refuses, or cannot be reached, when it comes to the forwarded
// ticket, does not fail the context.
func TestDelegationNotGranted(t *testing.T) {
	w := delegator(t, nil, nil)
	i, a := w.flags(t, allFlags)
	establish(t, i, a) // the service ticket is there now
	for name, prepare := range map[string]func(){
		"refused":     func() { w.kdc.Fail(12) },
		"unreachable": func() { w.kdc.Drop(1 << 20) },
	} {
		t.Run(name, func(t *testing.T) {
			prepare()
			i, a := w.flags(t, allFlags|mech.FlagDeleg)
			establish(t, i, a)
			require.False(t, i.Info().Flags.Has(mech.FlagDeleg))
			require.False(t, a.Info().Flags.Has(mech.FlagDeleg))
			require.Nil(t, a.Info().Delegated)
			w.kdc.Fail(0)
		})
	}
	w.kdc.Drop(0)

	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		i := w.initiate(t, mech.InitRequest{Flags: allFlags | mech.FlagDeleg})
		_, _, err := i.Step(ctx, nil)
		require.NoError(t, err, "the service ticket is at hand")
		require.False(t, i.Info().Flags.Has(mech.FlagDeleg))
	})
}

// In DCE style MIT's acceptor takes no credential.
func TestDelegationDCE(t *testing.T) {
	w := delegator(t, nil, nil)
	i, a := w.flags(t, allFlags|mech.FlagDCEStyle|mech.FlagDeleg)
	establish(t, i, a)
	require.False(t, a.Info().Flags.Has(mech.FlagDeleg))
	require.Nil(t, a.Info().Delegated)
}

// Nothing is handed out before the context is established or after it failed.
func TestDelegatedWhen(t *testing.T) {
	w := delegator(t, nil, nil)
	i, a := w.flags(t, allFlags|mech.FlagDeleg)
	require.Nil(t, a.Info().Delegated)
	establish(t, i, a)
	require.NotNil(t, a.Info().Delegated)
	require.NoError(t, a.Close())
	require.Nil(t, a.Info().Delegated)

	a = w.accept(t, mech.AcceptRequest{Require: mech.FlagDeleg})
	_, _, err := a.Step(ctx, w.token(t, allFlags))
	require.ErrorIs(t, err, gsserr.ErrUnavailable)
	require.Nil(t, a.Info().Delegated)
}

// The lifetime of what was delegated is that of the ticket.
func TestDelegatedExpires(t *testing.T) {
	c := newClock()
	w := delegator(t, &testenv.Options{Now: c.now}, func(o *krb5.Config) { o.Time = c.now })
	i, a := w.flags(t, allFlags|mech.FlagDeleg)
	establish(t, i, a)
	d := a.Info().Delegated
	info, err := d.Info(ctx)
	require.NoError(t, err)
	c.add(info.InitiateExpires.Sub(c.now()) + time.Second)
	_, err = d.Info(ctx)
	require.ErrorIs(t, err, gsserr.ErrCredentialsExpired)
}

// What other initiators put into their authenticators: a KRB-CRED under the
// subkey, as Heimdal and Java have it, one without encryption (RFC 6448), and
// things that are none. Those fail the context, as with MIT.
func TestDelegatedForms(t *testing.T) {
	w := delegator(t, nil, nil)
	i, a := w.flags(t, allFlags)
	establish(t, i, a)
	file := "FILE:" + tempFile(t, "ccache")
	_, err := w.alice.(mech.Storer).Store(ctx, mech.StoreRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": file}})
	require.NoError(t, err)
	cc, err := ccache.Resolve(ctx, file, nil)
	require.NoError(t, err)
	creds, err := ccache.Credentials(ctx, cc)
	require.NoError(t, err)
	tgt, ticket := &creds[0], &creds[0]
	for n := range creds {
		if creds[n].Server.Components[0] == "host" {
			ticket = &creds[n]
		}
	}
	session, err := enctype.NewKey(ticket.Key.Enctype, ticket.Key.Value.Bytes())
	require.NoError(t, err)
	subkey, err := enctype.GenerateKey(ticket.Key.Enctype)
	require.NoError(t, err)
	other, err := enctype.GenerateKey(ticket.Key.Enctype)
	require.NoError(t, err)
	sealed := func(k *enctype.Key) []byte {
		msg, err := apreq.SealCred(tgt, k)
		require.NoError(t, err)
		return msg
	}
	open := sealed(session)
	parsed, err := wire.ParseKRBCred(open)
	require.NoError(t, err)
	plain, err := session.Decrypt(nil, parsed.Enc.Cipher, 14)
	require.NoError(t, err)
	parsed.Enc = wire.EncryptedData{Cipher: plain}
	for _, tc := range []struct {
		name string
		msg  []byte
		ok   bool
	}{
		{"session key", open, true},
		{"subkey", sealed(subkey), true},
		{"not encrypted", parsed.Append(nil), true},
		{"another key", sealed(other), false},
		{"garbage", []byte("garbage"), false},
		{"empty", []byte{}, false},
		{"cut off", open[:len(open)-1], false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			msg, err := (&apreq.Request{
				Ticket: ticket.Ticket, SessionKey: session, Client: ticket.Client, Time: time.Now().Truncate(time.Microsecond),
				Subkey: subkey, Seq: apreq.NewSeq(), Mutual: true,
				Checksum: &apreq.Checksum{Flags: allFlags | mech.FlagDeleg, Deleg: tc.msg},
			}).Append(nil)
			require.NoError(t, err)
			a := w.accept(t, mech.AcceptRequest{})
			_, more, err := a.Step(ctx, apreq.Frame(oid.Krb5, apreq.TokAPReq, msg))
			if !tc.ok {
				require.ErrorIs(t, err, gsserr.ErrFailure)
				var e *gsserr.Error
				require.ErrorAs(t, err, &e)
				require.NotEmpty(t, e.Token)
				require.Nil(t, a.Info().Delegated)
				return
			}
			require.NoError(t, err)
			require.False(t, more)
			require.NotNil(t, a.Info().Delegated)
		})
	}
}
