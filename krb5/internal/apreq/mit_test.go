package apreq

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/rcache"
	"github.com/gss-go/gssapi/krb5/internal/wire"
	"github.com/gss-go/gssapi/mech"
)

// recorded reads a file of "name value" lines in blocks.
func recorded(t *testing.T, path string) []map[string]string {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	var blocks []map[string]string
	for _, block := range strings.Split(string(b), "\n\n") {
		m := make(map[string]string)
		for line := range strings.Lines(block) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name != "#" {
				m[name] = value
			}
		}
		if len(m) > 0 {
			blocks = append(blocks, m)
		}
	}
	return blocks
}

// Tokens that MIT's initiator and acceptor exchanged with each other.
func TestMIT(t *testing.T) {
	bindings := &mech.ChannelBindings{
		InitiatorType: mech.AddrInet, Initiator: []byte{192, 0, 2, 1},
		AcceptorType: mech.AddrNull, Application: []byte("tls-unique:example"),
	}
	others := &mech.ChannelBindings{
		InitiatorType: mech.AddrInet, Initiator: []byte{192, 0, 2, 1}, Application: []byte("tls-unique:example"),
	}
	blocks := recorded(t, "testdata/mit.txt")
	require.Len(t, blocks, 12)
	for _, r := range blocks {
		t.Run(r["enctype"]+"/"+r["style"], func(t *testing.T) {
			n, err := strconv.Atoi(r["enctype"])
			require.NoError(t, err)
			id := etype.ID(n)
			fixed := func(fill byte) *enctype.Key {
				k, err := enctype.NewKey(id, bytes.Repeat([]byte{fill}, enctype.KeySize(id)))
				require.NoError(t, err)
				return k
			}
			at, err := strconv.ParseInt(r["time"], 10, 64)
			require.NoError(t, err)
			a := &Acceptor{
				Service: Service{Keys: []ServiceKey{{service, 3, fixed(0x11)}}},
				Now:     time.Unix(at, 0), Skew: skew, Replay: rcache.NewMemory(0), Enctypes: []etype.ID{20, 19, 18, 17},
			}
			msg := unhex(t, r["request"])
			dce := r["style"] == "dce"
			require.Equal(t, dce, IsRequest(msg))
			if !dce {
				_, id, body, err := Unframe(msg)
				require.NoError(t, err)
				require.Equal(t, TokAPReq, id)
				msg = body
			}
			req, err := wire.ParseAPReq(msg)
			require.NoError(t, err)
			require.Equal(t, msg, req.Append(nil), "our encoding is theirs")
			acc, _, err := a.Accept(ctx, req)
			require.NoError(t, err)
			require.True(t, acc.Client().Equal(alice))
			require.NotNil(t, acc.Subkey)
			require.Equal(t, id, acc.Subkey.Enctype())
			require.True(t, acc.Auth.HasSeq && acc.Auth.Seq < 1<<30)
			require.Equal(t, offered(acc.Auth.AuthzData), expected(id, r["style"]))

			var want mech.Flags
			switch r["style"] {
			case "bound":
				want = mech.FlagMutual | mech.FlagSequence | mech.FlagConf | mech.FlagInteg
				terms, err := acc.Terms(bindings, false)
				require.NoError(t, err)
				require.Equal(t, &Terms{Flags: want, Bound: true}, terms)
				_, err = acc.Terms(others, true)
				require.ErrorIs(t, err, gsserr.ErrBadBindings, "Java's null address is another type")
			case "oneway":
				want = mech.FlagConf | mech.FlagInteg
				_, err = acc.Terms(bindings, false)
				require.ErrorIs(t, err, gsserr.ErrBadBindings)
				terms, err := acc.Terms(bindings, true)
				require.NoError(t, err)
				require.False(t, terms.Bound)
			case "dce":
				want = mech.FlagDCEStyle | mech.FlagMutual | mech.FlagConf | mech.FlagInteg
			}
			terms, err := acc.Terms(nil, false)
			require.NoError(t, err)
			require.Equal(t, want, terms.Flags)
			require.Equal(t, want.Has(mech.FlagMutual), req.Options == OptMutualRequired)
			if !want.Has(mech.FlagMutual) {
				require.Empty(t, r["reply"])
				return
			}

			msg = unhex(t, r["reply"])
			require.Equal(t, dce, IsReply(msg))
			if !dce {
				_, id, body, err := Unframe(msg)
				require.NoError(t, err)
				require.Equal(t, TokAPRep, id)
				msg = body
			}
			reply, err := OpenReply(msg, fixed(0x22))
			require.NoError(t, err)
			require.True(t, reply.Time.Equal(acc.Auth.Time))
			require.NotNil(t, reply.Subkey)
			require.NotZero(t, reply.Seq)
			again, err := reply.Append(nil, fixed(0x22))
			require.NoError(t, err)
			require.Len(t, again, len(msg))
		})
	}
}

// expected is what MIT offers with its default list of types, which begins with
// 18 17 20 19.
func expected(session etype.ID, style string) []etype.ID {
	list := []etype.ID{18, 17, 20, 19}
	if style == "oneway" {
		return nil
	}
	return better(list, session)
}

// A process that may use the SHA-2 types alone, as under GODEBUG=fips140=only,
// meets tickets of others: an error, whatever primitive they would need. This
// test is meant to be run under that setting too.
func TestForeignEnctype(t *testing.T) {
	for _, r := range recorded(t, "testdata/mit.txt") {
		if r["style"] == "dce" || r["enctype"] > "18" {
			continue
		}
		_, _, msg, err := Unframe(unhex(t, r["request"]))
		require.NoError(t, err)
		req, err := wire.ParseAPReq(msg)
		require.NoError(t, err)
		key := ServiceKey{service, 3, newKey(t, etype.AES256SHA2)}
		a := &Acceptor{Service: Service{Keys: []ServiceKey{key}}, Now: noon, Skew: skew, Replay: rcache.NewMemory(0)}
		for _, permitted := range [][]etype.ID{nil, {19, 20}, {17, 18, 19, 20}} {
			a.Enctypes = permitted
			_, _, err = a.Accept(ctx, req)
			require.ErrorIs(t, err, gsserr.ErrFailure)
		}
	}
	sum, err := BindingsHash(&mech.ChannelBindings{})
	require.NoError(t, err)
	require.NotZero(t, sum)
}
