package interop

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/iov"
)

// Java has no messages in pieces: what its MessageProp calls make is taken apart
// here, and what is put together here is given to them.
func TestIOVJGSS(t *testing.T) {
	for _, e := range enctypes {
		for _, role := range []string{"initiate", "accept"} {
			t.Run(e.short+"/"+role, func(t *testing.T) {
				conf := e.short + ".conf"
				cc := kinit(t, conf, "alice")
				r, _ := engine(t, conf, cc)
				p := &pair{flags: gssapi.DefaultFlags}
				service := "service=" + e.short + "@localhost"
				var err error
				if role == "initiate" {
					p.ours, err = gssapi.InitContext(gssapi.HostBased(e.short, "localhost"), &gssapi.InitOptions{Registry: r})
					p.peer = startJava(t, false, environ(conf, cc), "accept", service)
				} else {
					p.ours, err = gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, e.short)})
					p.peer = startJava(t, false, environ(conf, cc), "initiate", service, "mech=krb5", fmt.Sprintf("flags=%x", uint32(p.flags)))
				}
				require.NoError(t, err)
				t.Cleanup(func() { require.NoError(t, p.ours.Close()) })
				require.NoError(t, gssapi.Exchange(testContext(t), p.ours, p.peer.send, p.peer.recv))
				p.said, err = p.peer.established()
				require.NoError(t, err)
				require.Equal(t, e.long, p.ours.Info().Enctype)

				rnd := rand.New(rand.NewPCG(17, 20))
				pool := make([]byte, 1<<17)
				for i := range pool {
					pool[i] = byte(rnd.Uint32())
				}
				for n := range layoutsEachWay {
					p.java(t, rnd, pool, n)
				}
			})
		}
	}
}

// java exchanges one message of a random kind each way.
func (p *pair) java(t *testing.T, rnd *rand.Rand, pool []byte, n int) {
	t.Helper()
	k, msg := message(rnd, pool)
	cut := rnd.IntN(len(msg) + 1)
	a, b := bytes.Clone(msg[:cut]), bytes.Clone(msg[cut:])
	var token []byte
	if k == mic {
		signed := []iov.Buffer{{Type: iov.Data, Bytes: a}, {Type: iov.SignOnly, Bytes: b}, {Type: iov.MICToken, Alloc: true}}
		require.NoError(t, p.ours.GetMICIOV(signed))
		token = signed[2].Bytes
	} else {
		pieces := iov.Message(a, b)
		if n%2 == 0 {
			pieces = pieces[:4] // without the trailer: Java turns the token back
		}
		require.NoError(t, p.ours.WrapIOV(pieces, &gssapi.WrapOptions{IntegrityOnly: k == signed}))
		token = iov.Join(nil, pieces)
	}
	got, err := p.give(t, k, msg, token)
	require.NoError(t, err, "message %d", n)
	require.True(t, bytes.Equal(msg, got), "message %d: another one of %d bytes", n, len(msg))

	k, msg = message(rnd, pool)
	token = p.theirs(k, msg)
	if k == mic {
		require.NoError(t, p.ours.VerifyMICIOV([]iov.Buffer{{Type: iov.MICToken, Bytes: token}, {Type: iov.Data, Bytes: msg}}), "message %d", n)
		return
	}
	pieces := []iov.Buffer{{Type: iov.Stream, Bytes: token}, {Type: iov.Data, Alloc: n%2 == 0}}
	info, err := p.ours.UnwrapIOV(pieces)
	require.NoError(t, err, "message %d", n)
	require.Equal(t, k == sealed, info.Encrypted)
	require.True(t, bytes.Equal(msg, pieces[1].Bytes), "message %d: another one of %d bytes", n, len(msg))
}
