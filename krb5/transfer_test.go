package krb5_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/testenv"
)

func move(t testing.TB, m *krb5.Mechanism, c mech.Context) (mech.Context, []byte) {
	t.Helper()
	token, err := c.(mech.Exporter).Export()
	require.NoError(t, err)
	moved, err := m.ImportContext(bytes.Clone(token))
	require.NoError(t, err)
	return moved, token
}

// A context that was moved goes on where it was, in both directions.
func TestExportContext(t *testing.T) {
	for _, id := range enctypes {
		w := newWorld(t, &testenv.Options{Enctypes: []int32{int32(id)}}, nil)
		other := krb5.New(&w.config)
		for _, flags := range styles {
			t.Run(caseName(id, flags), func(t *testing.T) {
				i, a := w.flags(t, flags)
				establish(t, i, a)
				exchange(t, i, a)
				late, err := i.(mech.Protector).GetMIC(nil, []byte("late"), 0)
				require.NoError(t, err)
				seen, err := i.(mech.Protector).GetMIC(nil, []byte("seen"), 0)
				require.NoError(t, err)
				_, err = a.(mech.Protector).VerifyMIC([]byte("seen"), seen)
				require.ErrorIs(t, err, gsserr.ErrGapToken)
				_, before := header(t, i)
				wantI, wantA := i.Info(), a.Info()

				i2, _ := move(t, other, i)
				a2, _ := move(t, other, a)
				_, after := header(t, i2)
				require.Equal(t, before+1, after)
				for _, old := range []mech.Context{i, a} {
					requireDead(t, old)
					_, err = old.(mech.Exporter).Export()
					require.ErrorIs(t, err, gsserr.ErrNoContext)
				}
				for _, p := range [][2]mech.ContextInfo{{wantI, i2.Info()}, {wantA, a2.Info()}} {
					want, got := p[0], p[1]
					require.Equal(t, want.Flags, got.Flags)
					require.Equal(t, want.Initiator, got.Initiator)
					require.Equal(t, want.Enctype, got.Enctype)
					require.Equal(t, want.Mech, got.Mech)
					require.Equal(t, want.Expires.Unix(), got.Expires.Unix())
					require.True(t, want.InitiatorName.Equal(got.InitiatorName))
					require.Equal(t, want.AcceptorName == nil, got.AcceptorName == nil)
					require.Equal(t, want.Target == nil, got.Target == nil)
					require.True(t, got.Established)
				}
				// The window has come along.
				_, err = a2.(mech.Protector).VerifyMIC([]byte("seen"), seen)
				require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
				_, err = a2.(mech.Protector).VerifyMIC([]byte("late"), late)
				require.ErrorIs(t, err, gsserr.ErrUnseqToken)
				for _, p := range [][2]mech.Context{{i2, a2}, {a2, i2}} {
					token, err := p[0].(mech.Protector).Wrap(nil, []byte("on"), nil)
					require.NoError(t, err)
					msg, _, err := p[1].(mech.Protector).Unwrap(nil, token)
					require.True(t, err == nil || gsserr.Informational(err), "%v", err)
					require.Equal(t, "on", string(msg))
				}
			})
		}
	}
}

func TestExportUnestablished(t *testing.T) {
	w := newWorld(t, nil, nil)
	i, a := w.flags(t, allFlags)
	for _, c := range []mech.Context{i, a} {
		_, err := c.(mech.Exporter).Export()
		require.ErrorIs(t, err, gsserr.ErrNoContext)
	}
	_, _, err := i.Step(ctx, nil)
	require.NoError(t, err)
	_, err = i.(mech.Exporter).Export()
	require.ErrorIs(t, err, gsserr.ErrNoContext)
}

func TestImportContextRefuses(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		i, a := w.flags(t, flags)
		establish(t, i, a)
		for _, c := range []mech.Context{i, a} {
			token, err := c.(mech.Exporter).Export()
			require.NoError(t, err)
			for n := range token {
				_, err := w.ImportContext(token[:n])
				requireDefective(t, err)
			}
			_, err = w.ImportContext(append(bytes.Clone(token), 0))
			requireDefective(t, err)
			kept := bytes.Clone(token)
			_, err = w.ImportContext(token)
			require.NoError(t, err)
			require.Equal(t, kept, token, "the caller's bytes stay as they are")
		}
	}
	_, err := w.ImportContext(nil)
	requireDefective(t, err)
}

func requireDefective(t testing.TB, err error) {
	t.Helper()
	require.ErrorIs(t, err, gsserr.ErrDefectiveToken)
}

// FuzzImportContext: what is accepted is a context that works, and exports to the
// same bytes.
func FuzzImportContext(f *testing.F) {
	w := newWorld(f, nil, nil)
	for _, flags := range styles {
		i, a := w.flags(f, flags)
		establish(f, i, a)
		for _, c := range []mech.Context{i, a} {
			token, err := c.(mech.Exporter).Export()
			require.NoError(f, err)
			f.Add(token)
		}
	}
	f.Fuzz(func(t *testing.T, token []byte) {
		c, err := w.ImportContext(token)
		if err != nil {
			requireDefective(t, err)
			return
		}
		same, err := w.ImportContext(token)
		require.NoError(t, err)
		again, err := same.(mech.Exporter).Export()
		require.NoError(t, err)
		require.Equal(t, token, again)
		info := c.Info()
		require.True(t, info.Established)
		_, err = c.(mech.Protector).Wrap(nil, []byte("x"), nil)
		require.NoError(t, err)
		_, _, _ = c.(mech.Protector).Unwrap(nil, token)
		_, err = c.(mech.PRF).PRF(nil, true, []byte("x"), 100)
		require.NoError(t, err)
		_, err = c.(mech.Exporter).Export()
		require.NoError(t, err)
	})
}

// engine is an established context as the functions of the package take it.
type engine struct{ mech.Context }

func (e engine) Engine() mech.Context { return e.Context }

func TestInquire(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		t.Run(label(flags), func(t *testing.T) {
			i, a := w.flags(t, flags)
			_, err := krb5.SessionKey(engine{i})
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			establish(t, i, a)
			var keys, tickets [2]krb5.Key
			for n, c := range []mech.Context{i, a} {
				keys[n], err = krb5.SessionKey(engine{c})
				require.NoError(t, err)
				tickets[n], err = krb5.TicketSessionKey(engine{c})
				require.NoError(t, err)
				at, err := krb5.AuthTime(engine{c})
				require.NoError(t, err)
				require.WithinDuration(t, time.Now(), at, time.Minute)
				_, err = krb5.TicketFlags(engine{c})
				require.NoError(t, err)
				ad, err := krb5.AuthzData(engine{c}, 128)
				require.NoError(t, err)
				require.Empty(t, ad)
			}
			require.Equal(t, keys[0].Value.Bytes(), keys[1].Value.Bytes())
			require.Equal(t, tickets[0].Value.Bytes(), tickets[1].Value.Bytes())
			require.NotEqual(t, keys[0].Value.Bytes(), tickets[0].Value.Bytes())

			// The same answers by OID, as the conformance test asks for them.
			_, next := header(t, i)
			lucid, err := krb5.ExportLucid(engine{i})
			require.NoError(t, err)
			require.True(t, lucid.Initiator)
			require.Equal(t, next+1, lucid.SendSeq)
			require.Equal(t, flags.Has(mech.FlagMutual), lucid.HaveAcceptorSubkey)
			want := lucid.Key
			if lucid.HaveAcceptorSubkey {
				want = lucid.AcceptorSubkey
			}
			require.Equal(t, keys[0].Value.Bytes(), want.Value.Bytes())
			requireDead(t, i)
			_, err = krb5.ExportLucid(engine{i})
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			requireHidden(t, lucid, [][]byte{lucid.Key.Value.Bytes(), want.Value.Bytes()})
		})
	}
	for _, c := range []krb5.Established{nil, engine{nil}} {
		_, err := krb5.SessionKey(c)
		require.ErrorIs(t, err, gsserr.ErrUnavailable)
		_, err = krb5.AuthTime(c)
		require.ErrorIs(t, err, gsserr.ErrUnavailable)
	}
}

func TestPRF(t *testing.T) {
	w := newWorld(t, nil, nil)
	for _, flags := range styles {
		i, a := w.flags(t, flags)
		_, err := i.(mech.PRF).PRF(nil, true, nil, 1)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		establish(t, i, a)
		out := make(map[string]bool)
		for _, full := range []bool{true, false} {
			one, err := i.(mech.PRF).PRF(nil, full, []byte("in"), 100)
			require.NoError(t, err)
			two, err := a.(mech.PRF).PRF(nil, full, []byte("in"), 100)
			require.NoError(t, err)
			require.Equal(t, one, two)
			out[string(one)] = true
		}
		require.Len(t, out, map[bool]int{true: 2, false: 1}[flags.Has(mech.FlagMutual)])
		for _, n := range []int{-1, 1<<20 + 1} {
			_, err = i.(mech.PRF).PRF(nil, true, nil, n)
			require.ErrorIs(t, err, gsserr.ErrFailure)
		}
		require.ErrorIs(t, i.(mech.TokenProcessor).ProcessToken(nil), gsserr.ErrDefectiveToken)
		_ = i.Close()
		_, err = i.(mech.PRF).PRF(nil, true, nil, 1)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		require.ErrorIs(t, i.(mech.TokenProcessor).ProcessToken(nil), gsserr.ErrNoContext)
	}
}
