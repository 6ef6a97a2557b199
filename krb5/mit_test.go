package krb5_test

import (
	"bytes"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	secrets "github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/keytab"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// A context of MIT's initiator, taken over by our acceptor: its key gives MIT's
// pseudo-random bytes and opens MIT's messages.
func TestMIT(t *testing.T) {
	b, err := os.ReadFile("testdata/mit.txt")
	require.NoError(t, err)
	blocks := strings.Split(strings.TrimSpace(string(b)), "\n\n")[1:]
	require.Len(t, blocks, 4)
	for _, block := range blocks {
		r := make(map[string]string)
		for line := range strings.Lines(block) {
			name, value, _ := strings.Cut(strings.TrimSpace(line), " ")
			r[name] = value
		}
		unhex := func(name string) []byte {
			v, err := hex.DecodeString(r[name])
			require.NoError(t, err)
			require.NotEmpty(t, v)
			return v
		}
		t.Run(r["enctype"], func(t *testing.T) {
			id, err := strconv.Atoi(r["enctype"])
			require.NoError(t, err)
			at, err := strconv.ParseInt(r["time"], 10, 64)
			require.NoError(t, err)
			m := krb5.New(&krb5.Config{
				ConfigText: "[libdefaults]\ndefault_realm = " + realm + "\n",
				Getenv:     func(string) string { return "" },
				Replay:     krb5.NewReplayCache(0),
				Time:       func() time.Time { return time.Unix(at, 0) },
			})
			size := 16
			if id%2 == 0 {
				size = 32
			}
			p, err := m.ImportName([]byte("host/"+host+"@"+realm), oid.NTKrb5Principal)
			require.NoError(t, err)
			var kt keytab.Keytab
			require.NoError(t, kt.Add(keytab.Entry{
				Principal: keytab.Principal{Realm: realm, Components: []string{"host", host}}, Kvno: 3,
				Key: keytab.Key{Enctype: krb5.Enctype(id), Value: secrets.New(bytes.Repeat([]byte{0x11}, size))},
			}))
			cred, err := m.KeytabCred(ctx, p, &kt)
			require.NoError(t, err)
			a, err := m.Accept(mech.AcceptRequest{Creds: []mech.Cred{cred}})
			require.NoError(t, err)
			out, more, err := a.Step(ctx, unhex("request"))
			require.NoError(t, err)
			require.Empty(t, out)
			require.False(t, more)
			requireName(t, "alice@"+realm, a.Info().InitiatorName)
			require.Equal(t, mech.Flags(0x1BC), a.Info().Flags)

			for name, full := range map[string]bool{"prf-full": true, "prf-partial": false} {
				for _, n := range []int{0, 1, 16, 48, 99, 100} {
					got, err := a.(mech.PRF).PRF([]byte("before"), full, []byte("gss prf test"), n)
					require.NoError(t, err)
					require.Equal(t, "before"+string(unhex(name)[:n]), string(got))
				}
			}
			for _, name := range []string{"wrap", "wrap-integrity"} { // in sequence
				msg, info, err := a.(mech.Protector).Unwrap(nil, unhex(name))
				require.NoError(t, err)
				require.Equal(t, "hello", string(msg))
				require.Equal(t, name == "wrap", info.Encrypted)
			}
			_, err = a.(mech.Protector).VerifyMIC([]byte("hello"), unhex("mic"))
			require.NoError(t, err)
			_, err = a.(mech.Protector).VerifyMIC([]byte("hello"), unhex("mic"))
			require.ErrorIs(t, err, gsserr.ErrDuplicateToken)
		})
	}
}
