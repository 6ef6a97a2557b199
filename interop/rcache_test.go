package interop

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

// sharing is an acceptor of MIT's and one of ours with one replay cache on disk.
type sharing struct {
	env map[string]string
}

// theirs presents a token to a process on MIT's library.
func (s *sharing) theirs(t *testing.T, service string, token []byte) error {
	t.Helper()
	env := environ("krb5.conf", "/nonexistent")
	for k, v := range s.env {
		env = append(env, k+"="+v)
	}
	p := startPeer(t, env, "accept", "service="+service+"@localhost")
	require.NoError(t, p.send(token))
	_, err := p.established()
	return err
}

// ours presents a token to an acceptor of a mechanism value of its own.
func (s *sharing) ours(t *testing.T, service string, token []byte, store gssapi.Store) error {
	t.Helper()
	r, err := mech.NewRegistry(krb5.New(&krb5.Config{
		ConfigPath: realm.File("krb5.conf"),
		Keytab:     "FILE:" + realm.File("services.keytab"),
		Getenv:     func(k string) string { return s.env[k] },
	}))
	require.NoError(t, err)
	c, err := gssapi.AcquireCred(testContext(t), gssapi.HostBased(service, "localhost"), gssapi.UsageAccept,
		&gssapi.CredOptions{Registry: r, Store: store})
	require.NoError(t, err)
	a, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: c})
	require.NoError(t, err)
	defer a.Close()
	_, _, err = a.Step(testContext(t), token)
	return err
}

// apReq is a token of one leg from us or, for odd n, from MIT.
func apReq(t *testing.T, cc, service string, n int) []byte {
	t.Helper()
	if n%2 == 1 {
		p := startPeer(t, environ("krb5.conf", cc), "initiate", "service="+service+"@localhost",
			fmt.Sprintf("flags=%x", uint32(gssapi.FlagInteg|gssapi.FlagConf)))
		token, err := p.recv()
		require.NoError(t, err)
		return token
	}
	r, _ := engine(t, "krb5.conf", cc)
	i, err := gssapi.InitContext(gssapi.HostBased(service, "localhost"), &gssapi.InitOptions{Registry: r, Omit: gssapi.FlagMutual})
	require.NoError(t, err)
	defer i.Close()
	token, _, err := i.Step(testContext(t), nil)
	require.NoError(t, err)
	return token
}

const repeated = "replay" // in MIT's text

// Each of two acceptors refuses what the other has admitted, whoever made it and
// for every encryption type, as both look into one file.
func TestReplayCacheShared(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	for name, env := range map[string]map[string]string{
		"file2":   {"KRB5RCACHENAME": "file2:" + filepath.Join(t.TempDir(), "rc")},
		"dfl":     {"KRB5RCACHENAME": "dfl:", "KRB5RCACHEDIR": t.TempDir()},
		"by type": {"KRB5RCACHETYPE": "dfl", "KRB5RCACHEDIR": t.TempDir()},
	} {
		s := &sharing{env: env}
		t.Run(name, func(t *testing.T) {
			for _, e := range enctypes {
				for n := range 2 {
					token := apReq(t, cc, e.short, n)
					require.NoError(t, s.theirs(t, e.short, token))
					require.ErrorIs(t, s.ours(t, e.short, token, nil), krb5.ErrAPRepeat)
					require.ErrorContains(t, s.theirs(t, e.short, token), repeated)

					token = apReq(t, cc, e.short, n)
					require.NoError(t, s.ours(t, e.short, token, nil))
					require.ErrorContains(t, s.theirs(t, e.short, token), repeated)
					require.ErrorIs(t, s.ours(t, e.short, token, nil), krb5.ErrAPRepeat)
				}
			}
		})
	}
}

// The store key names the file too.
func TestReplayCacheByStore(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	file := "file2:" + filepath.Join(t.TempDir(), "rc")
	mit, we := &sharing{env: map[string]string{"KRB5RCACHENAME": file}}, &sharing{}
	token := apReq(t, cc, "host", 0)
	require.NoError(t, we.ours(t, "host", token, gssapi.Store{"rcache": file}))
	require.ErrorContains(t, mit.theirs(t, "host", token), repeated)
	require.NoError(t, we.ours(t, "host", token, gssapi.Store{"rcache": "none:"}), "nobody looks")
}

// Hundreds of records, put there by both, fill a table and go on to the next:
// none is lost on either side.
func TestReplayCacheFull(t *testing.T) {
	cc := kinit(t, "krb5.conf", "alice")
	s := &sharing{env: map[string]string{"KRB5RCACHENAME": "file2:" + filepath.Join(t.TempDir(), "rc")}}
	var tokens [][]byte
	start := time.Now()
	for n := range 1500 {
		token := apReq(t, cc, "host", 0)
		if n%100 == 0 {
			require.NoError(t, s.theirs(t, "host", token))
		} else {
			require.NoError(t, s.ours(t, "host", token, nil))
		}
		tokens = append(tokens, token)
	}
	require.Less(t, time.Since(start), time.Minute, "slower than the life of a record would allow")
	for n, token := range tokens {
		require.ErrorIs(t, s.ours(t, "host", token, nil), krb5.ErrAPRepeat)
		if n%50 == 7 {
			require.ErrorContains(t, s.theirs(t, "host", token), repeated)
		}
	}
}
