package cfx

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// recording is one context of a file in testdata.
type recording struct {
	name        string
	id          etype.ID
	key, subkey []byte // subkey nil: none
	tokens      []recordedToken
}

type recordedToken struct {
	kind          string // sealed, integ or mic
	fromInitiator bool
	msg, token    []byte
}

func readRecordings(t testing.TB, file string) []recording {
	text, err := os.ReadFile(filepath.Join("testdata", file))
	require.NoError(t, err)
	unhex := func(s string) []byte {
		if s == "-" {
			return nil
		}
		b, err := hex.DecodeString(s)
		require.NoError(t, err)
		return b
	}
	var list []recording
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 0 || f[0] == "#" {
			continue
		}
		if f[0] == "context" {
			n, err := strconv.Atoi(f[1])
			require.NoError(t, err)
			list = append(list, recording{name: f[1] + " " + f[2], id: etype.ID(n)})
			continue
		}
		r := &list[len(list)-1]
		switch f[0] {
		case "key":
			r.key = unhex(f[1])
		case "subkey":
			r.subkey = unhex(f[1])
		default:
			require.Len(t, f, 4, line)
			r.tokens = append(r.tokens, recordedToken{f[0], f[1] == "initiator", unhex(f[2]), unhex(f[3])})
		}
	}
	return slices.DeleteFunc(list, func(r recording) bool { return !slices.Contains(etypes, r.id) })
}

// side returns one side of the recorded context. Its numbers begin where the
// recording does.
func (r recording) side(t testing.TB, initiator, window bool) *Context {
	p := Params{Initiator: initiator, Replay: window, Sequence: window}
	var err error
	p.Key, err = enctype.NewKey(r.id, r.key)
	require.NoError(t, err)
	if r.subkey != nil {
		p.AcceptorSubkey, err = enctype.NewKey(r.id, r.subkey)
		require.NoError(t, err)
	}
	for i := len(r.tokens) - 1; i >= 0; i-- {
		h := r.tokens[i].header(t)
		if r.tokens[i].fromInitiator == initiator {
			p.SendSeq = h.seq
		} else {
			p.RecvSeq = h.seq
		}
	}
	return New(p)
}

func (k recordedToken) header(t testing.TB) header {
	want := tokenWrap
	if k.kind == "mic" {
		want = tokenMIC
	}
	var h header
	_, err := h.parseToken(k.token, want)
	require.NoError(t, err)
	return h
}

// TestRecorded reads what other implementations wrote.
func TestRecorded(t *testing.T) {
	for _, file := range []string{"mit.txt", "lenient/framed.txt", "lenient/subkey-flag.txt"} {
		for _, r := range readRecordings(t, file) {
			t.Run(file+"/"+r.name, func(t *testing.T) {
				require.NotEmpty(t, r.tokens)
				sides := map[bool]*Context{true: r.side(t, true, true), false: r.side(t, false, true)}
				for _, k := range r.tokens {
					to := sides[!k.fromInitiator]
					if k.kind == "mic" {
						_, err := to.VerifyMIC(k.msg, k.token)
						require.NoError(t, err, "%x", k.token)
						continue
					}
					got, info, err := to.Unwrap(nil, k.token)
					require.NoError(t, err, "%x", k.token)
					require.True(t, bytes.Equal(k.msg, got))
					require.Equal(t, k.kind == "sealed", info.Encrypted)
				}
			})
		}
	}
}

// TestRecordedAgain writes MIT's tokens anew: they are the same but for
// confounder and rotation.
func TestRecordedAgain(t *testing.T) {
	same := 0
	for _, r := range readRecordings(t, "mit.txt") {
		t.Run(r.name, func(t *testing.T) {
			sides := map[bool]*Context{true: r.side(t, true, true), false: r.side(t, false, true)}
			for _, k := range r.tokens {
				from := sides[k.fromInitiator]
				var got []byte
				var err error
				switch k.kind {
				case "mic":
					got, err = from.GetMIC(nil, k.msg, 0)
				case "integ":
					got, err = from.Wrap(nil, k.msg, integOnly)
					got = rotateToken(got, int(k.header(t).rrc))
				default:
					got, err = from.Wrap(nil, k.msg, nil)
					got = rotateToken(got, int(k.header(t).rrc))
				}
				require.NoError(t, err)
				require.Len(t, got, len(k.token))
				if k.kind == "sealed" {
					got, k.token = got[:16], k.token[:16]
				}
				require.Equal(t, k.token, got, "%s %x", k.kind, k.msg)
				same++
			}
		})
	}
	require.Equal(t, 80*len(etypes), same)
}

func TestFrameOfOthers(t *testing.T) {
	for _, r := range readRecordings(t, "lenient/framed.txt") {
		a := r.side(t, false, false)
		for _, k := range r.tokens {
			if !k.fromInitiator || k.kind == "mic" {
				continue
			}
			_, body, err := mech.ParseToken(k.token)
			require.NoError(t, err)
			for _, m := range []oid.OID{oid.Krb5MS, oid.Krb5Old, oid.IAKERB, oid.SPNEGO, {}} {
				requireRefused(t, a, mech.AppendToken(nil, m, body))
			}
		}
	}
}
