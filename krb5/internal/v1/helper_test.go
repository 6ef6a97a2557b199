package v1

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var (
	etypes    = []etype.ID{etype.RC4, etype.DES3SHA1}
	sealed    = (*mech.WrapOptions)(nil)
	integOnly = &mech.WrapOptions{IntegrityOnly: true}
)

// lengths has the borders of blocks and of frames.
var lengths = []int{0, 1, 7, 8, 9, 15, 16, 17, 50, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76, 77, 78, 79, 80, 81, 200, 4095, 65535, 66000}

// skipWithout ends tests in a process that must not use the algorithms.
func skipWithout(t testing.TB) {
	t.Helper()
	if !enctype.Supported(etype.RC4) {
		t.Skip("the process enforces FIPS 140-3")
	}
}

func testKey(t testing.TB, id etype.ID, seed byte) *enctype.Key {
	t.Helper()
	b := make([]byte, enctype.KeySize(id))
	for i := range b {
		b[i] = seed + byte(i)*7
	}
	k, err := enctype.NewKey(id, b)
	require.NoError(t, err)
	return k
}

func message(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*13 + n)
	}
	return b
}

const (
	seqInitiator = 1000
	seqAcceptor  = 0x3fffffff
)

// setup says how a pair of contexts is made.
type setup struct {
	id               etype.ID
	subkey           bool // with an acceptor's subkey
	replay, sequence bool
	mech             oid.OID // zero: Kerberos
	dce              bool
}

func (s setup) side(t testing.TB, initiator bool) *Context {
	skipWithout(t)
	p := Params{Initiator: initiator, Mech: s.mech, Key: testKey(t, s.id, 1), Replay: s.replay, Sequence: s.sequence, DCE: s.dce}
	if s.mech.IsZero() {
		p.Mech = oid.Krb5
	}
	if s.subkey {
		p.AcceptorSubkey = testKey(t, s.id, 99)
	}
	p.SendSeq, p.RecvSeq = seqInitiator, seqAcceptor
	if !initiator {
		p.SendSeq, p.RecvSeq = seqAcceptor, seqInitiator
	}
	return New(p)
}

// pair returns the two sides of a context.
func (s setup) pair(t testing.TB) (initiator, acceptor *Context) {
	return s.side(t, true), s.side(t, false)
}

func each(t *testing.T, f func(t *testing.T, id etype.ID)) {
	for _, id := range etypes {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			skipWithout(t)
			f(t, id)
		})
	}
}

// kinds are the three ways to protect a message.
var kinds = []string{"sealed", "signed", "mic"}

func (c *Context) make(kind string, msg []byte) ([]byte, error) {
	switch kind {
	case "sealed":
		return c.Wrap(nil, msg, sealed)
	case "signed":
		return c.Wrap(nil, msg, integOnly)
	}
	return c.GetMIC(nil, msg, 0)
}

// take returns the message of a token; what was refused must leave nothing.
func (c *Context) take(t testing.TB, kind string, msg, token []byte) ([]byte, error) {
	t.Helper()
	if kind == "mic" {
		_, err := c.VerifyMIC(msg, token)
		return msg, err
	}
	buf := make([]byte, 3, 3+len(token))
	got, info, err := c.Unwrap(buf, token)
	if err != nil && !gsserr.Informational(err) {
		require.Len(t, got, 3)
		require.Equal(t, make([]byte, len(token)), buf[3:cap(buf)])
		require.False(t, info.Encrypted)
		return nil, err
	}
	require.Equal(t, kind == "sealed", info.Encrypted)
	require.Equal(t, make([]byte, len(token)+3-len(got)), got[len(got):cap(got)][:len(token)+3-len(got)], "padding left behind")
	return got[3:], err
}

// fails checks the major and the minor status of an error.
func fails(t testing.TB, err error, major gsserr.Major, minor krberr.Code) {
	t.Helper()
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, major, e.Major, err)
	require.Equal(t, minor.Minor(), e.Minor, err)
	require.Equal(t, oid.Krb5, e.Mech)
}

// recorded is a token of MIT's library.
type recorded struct {
	id         etype.ID
	key        []byte
	initiator  bool // of the sender
	kind       string
	seq        uint32
	msg, token []byte
}

func recordings(t testing.TB) (list []recorded) {
	t.Helper()
	for _, name := range []string{"mit-rc4.txt", "mit-des3.txt"} {
		f, err := os.Open(filepath.Join("testdata", name))
		require.NoError(t, err)
		defer f.Close()
		in := bufio.NewScanner(f)
		require.True(t, in.Scan() && strings.HasPrefix(in.Text(), "# recorded: "))
		for in.Scan() {
			key, value, _ := strings.Cut(in.Text(), "=")
			value = strings.TrimSpace(value)
			if strings.TrimSpace(key) == "etype" {
				list = append(list, recorded{})
			} else if len(list) == 0 {
				continue
			}
			r := &list[len(list)-1]
			num := func() uint64 {
				n, err := strconv.ParseUint(value, 10, 32)
				require.NoError(t, err)
				return n
			}
			raw := func() []byte {
				b, err := hex.DecodeString(value)
				require.NoError(t, err)
				return b
			}
			switch strings.TrimSpace(key) {
			case "etype":
				r.id = etype.ID(num())
			case "key":
				r.key = raw()
			case "sender":
				r.initiator = value == "initiator"
			case "kind":
				r.kind = value
			case "seq":
				r.seq = uint32(num())
			case "msg":
				r.msg = raw()
			case "token":
				r.token = raw()
			}
		}
		require.NoError(t, in.Err())
	}
	require.NotEmpty(t, list)
	return list
}

// side returns one of the recorded context's sides, which sends or expects the
// recorded number.
func (r recorded) side(t testing.TB, initiator bool) *Context {
	k, err := enctype.NewKey(r.id, r.key)
	require.NoError(t, err)
	return New(Params{
		Initiator: initiator, Mech: oid.Krb5, Key: k, SendSeq: r.seq, RecvSeq: r.seq, Replay: true, Sequence: true,
	})
}
