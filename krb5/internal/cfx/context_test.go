package cfx

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// etypes are the types that are allowed: without SHA-1 where FIPS 140-3 is
// enforced, under which all of these tests run too.
var etypes = slices.DeleteFunc([]etype.ID{17, 18, 19, 20}, func(id etype.ID) bool { return !enctype.Supported(id) })

// aes128 and aes256 are for tests that need one type.
var aes128, aes256 = etypes[0], etypes[1]

var (
	sealed    = (*mech.WrapOptions)(nil)
	integOnly = &mech.WrapOptions{IntegrityOnly: true}
)

// keySize is written down here once more, so that tests do not ask the code.
var keySize = map[etype.ID]int{17: 16, 18: 32, 19: 16, 20: 32}

// testKey returns a fixed key; seed tells several apart.
func testKey(t testing.TB, id etype.ID, seed byte) *enctype.Key {
	k, err := enctype.NewKey(id, testKeyBytes(id, seed))
	require.NoError(t, err)
	return k
}

func testKeyBytes(id etype.ID, seed byte) []byte {
	b := make([]byte, keySize[id])
	for i := range b {
		b[i] = seed + byte(i)*7
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
	dce              bool
}

func (s setup) String() string {
	return fmt.Sprintf("%v/subkey=%v", s.id, s.subkey)
}

// pair returns the two sides of a context.
func (s setup) pair(t testing.TB) (initiator, acceptor *Context) {
	return s.side(t, true), s.side(t, false)
}

func (s setup) side(t testing.TB, initiator bool) *Context {
	p := Params{
		Initiator: initiator,
		Key:       testKey(t, s.id, 1),
		Replay:    s.replay,
		Sequence:  s.sequence,
		DCE:       s.dce,
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

func everySetup(t *testing.T, f func(t *testing.T, s setup)) {
	for _, id := range etypes {
		for _, subkey := range []bool{false, true} {
			s := setup{id: id, subkey: subkey, replay: true, sequence: true}
			t.Run(s.String(), func(t *testing.T) { f(t, s) })
		}
	}
}

// forge makes a Wrap token by the book, with one-shot functions and every field
// chosen freely. The copy of the header inside is h with an RRC of 0.
type forge struct {
	key   *enctype.Key
	usage uint32
	h     header
}

func (f forge) wrap(t testing.TB, msg []byte) []byte {
	return f.wrapCopy(t, msg, f.h)
}

// wrapCopy does the same with another header for the copy inside.
func (f forge) wrapCopy(t testing.TB, msg []byte, inner header) []byte {
	outer := headerBytes(f.h)
	var body []byte
	var err error
	if f.h.flags&flagSealed != 0 {
		inner.rrc = 0
		plain := append(bytes.Clone(msg), bytes.Repeat([]byte{'x'}, int(f.h.ec))...)
		body, err = f.key.Encrypt(nil, append(plain, headerBytes(inner)...), f.usage)
	} else {
		inner.ec, inner.rrc = 0, 0
		body, err = f.key.Checksum(bytes.Clone(msg), f.usage, msg, headerBytes(inner))
	}
	require.NoError(t, err)
	return append(outer, rotateRight(body, int(f.h.rrc))...)
}

func headerBytes(h header) []byte {
	b := []byte{byte(h.token >> 8), byte(h.token), h.flags, 0xff}
	b = binary.BigEndian.AppendUint16(b, h.ec)
	b = binary.BigEndian.AppendUint16(b, h.rrc)
	return binary.BigEndian.AppendUint64(b, h.seq)
}

func rotateRight(b []byte, n int) []byte {
	out := make([]byte, len(b))
	for i := range b {
		out[(i+n)%len(b)] = b[i]
	}
	return out
}

// message returns n bytes that do not repeat soon.
func message(n int) []byte {
	b := make([]byte, n)
	x := uint32(n) + 1
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

// requireError checks major, minor, call and mechanism of err.
func requireError(t testing.TB, err error, op string, major gsserr.Major, minor krberr.Code) {
	t.Helper()
	var e *gsserr.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, op, e.Op)
	require.Equal(t, major, e.Major, "%v", err)
	require.Equal(t, minor, krberr.Code(int32(e.Minor)), "%v", err)
	require.Equal(t, oid.Krb5, e.Mech)
	require.Equal(t, major&gsserr.ErrSupplementary == major, gsserr.Informational(err))
}

// requireRefused unwraps a bad token into a buffer and checks that nothing of
// it comes out.
func requireRefused(t testing.TB, c *Context, token []byte) error {
	t.Helper()
	buf := bytes.Repeat([]byte{0xee}, len(token)+64)
	copy(buf, "kept")
	out, info, err := c.Unwrap(buf[:4], token)
	require.Error(t, err)
	require.False(t, gsserr.Informational(err))
	require.Equal(t, "kept", string(out))
	require.Zero(t, info)
	for _, b := range buf[4:] {
		if b != 0 && b != 0xee {
			t.Fatalf("Unwrap(%x) left %x", token, buf[4:])
		}
	}
	return err
}

func TestClose(t *testing.T) {
	for _, subkey := range []bool{false, true} {
		s := setup{id: aes256, subkey: subkey}
		i, a := s.pair(t)
		token, err := i.Wrap(nil, []byte("x"), nil)
		require.NoError(t, err)
		mic, err := i.GetMIC(nil, []byte("x"), 0)
		require.NoError(t, err)
		_, _, err = a.Unwrap(nil, rotateToken(token, 5))
		require.NoError(t, err)

		key, sub := a.key, a.subkey
		a.Close()
		a.Close()
		require.Nil(t, key.Bytes(), "the key is wiped")
		if subkey {
			require.Nil(t, sub.Bytes())
		}
		require.Nil(t, a.recv.rotated)
		requireClosed(t, a, token, mic)
	}
}

func TestNewWithoutKey(t *testing.T) {
	requireClosed(t, New(Params{}), make([]byte, 80), make([]byte, 28))
}

func requireClosed(t *testing.T, c *Context, token, mic []byte) {
	const minor = krberr.GSSCtxIncomplete
	_, err := c.Wrap(nil, nil, nil)
	requireError(t, err, "wrap", gsserr.ErrNoContext, minor)
	_, _, err = c.Unwrap(nil, token)
	requireError(t, err, "unwrap", gsserr.ErrNoContext, minor)
	_, err = c.GetMIC(nil, nil, 0)
	requireError(t, err, "get_mic", gsserr.ErrNoContext, minor)
	_, err = c.VerifyMIC([]byte("x"), mic)
	requireError(t, err, "verify_mic", gsserr.ErrNoContext, minor)
	_, err = c.WrapSizeLimit(100, nil)
	requireError(t, err, "wrap_size_limit", gsserr.ErrNoContext, minor)
}

func TestBadQOP(t *testing.T) {
	c := setup{id: aes128}.side(t, true)
	o := &mech.WrapOptions{QOP: 1}
	_, err := c.Wrap(nil, nil, o)
	requireError(t, err, "wrap", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	_, err = c.WrapSizeLimit(100, o)
	requireError(t, err, "wrap_size_limit", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	_, err = c.GetMIC(nil, nil, 1<<31)
	requireError(t, err, "get_mic", gsserr.ErrBadQOP, krberr.GSSUnknownQOP)
	require.EqualValues(t, seqInitiator, c.send.seq, "no number is used up")
}

func TestOverlap(t *testing.T) {
	i, a := setup{id: aes256}.pair(t)
	buf := make([]byte, 1000)
	copy(buf[500:], message(100))
	overlapping := map[string][2][]byte{
		"same start":     {buf[500:500], buf[500:600]},
		"behind":         {buf[400:450], buf[500:600]},
		"last byte":      {buf[599:599], buf[500:600]},
		"first byte":     {buf[:0:501], buf[500:600]},
		"half in length": {buf[:550], buf[500:600]},
		"whole":          {buf[:0], buf},
	}
	for name, tt := range overlapping {
		t.Run(name, func(t *testing.T) {
			before := bytes.Clone(buf)
			_, err := i.Wrap(tt[0], tt[1], nil)
			requireError(t, err, "wrap", gsserr.ErrFailure, 0)
			_, err = i.GetMIC(tt[0], tt[1], 0)
			requireError(t, err, "get_mic", gsserr.ErrFailure, 0)
			_, _, err = a.Unwrap(tt[0], tt[1])
			requireError(t, err, "unwrap", gsserr.ErrFailure, 0)
			require.Equal(t, before, buf)
		})
	}
	apart := map[string][2][]byte{
		"inside the length": {buf[:700], buf[500:600]},
		"capped":            {buf[:0:500], buf[500:600]},
		"after":             {buf[600:600], buf[500:600]},
		"empty input":       {buf[500:500], buf[500:500]},
		"no capacity":       {buf[500:500:500], buf[500:600]},
		"nil":               {nil, buf},
	}
	for name, tt := range apart {
		t.Run(name, func(t *testing.T) {
			want := bytes.Clone(tt[1])
			for _, o := range []*mech.WrapOptions{sealed, integOnly} {
				token, err := i.Wrap(tt[0], tt[1], o)
				require.NoError(t, err)
				got, _, err := a.Unwrap(nil, token[len(tt[0]):])
				require.NoError(t, err)
				require.True(t, bytes.Equal(want, got))
			}
		})
	}
}

// TestClearedKey takes the key away from under a context that has derived
// nothing yet: an error, no token and no number used up.
func TestClearedKey(t *testing.T) {
	i, a := setup{id: etype.AES256SHA2}.pair(t)
	token, err := i.Wrap(nil, []byte("x"), nil)
	require.NoError(t, err)
	integ, err := i.Wrap(nil, []byte("x"), integOnly)
	require.NoError(t, err)
	mic, err := i.GetMIC(nil, []byte("x"), 0)
	require.NoError(t, err)

	a.key.Clear()
	minor := krberr.BadKeySize
	for _, o := range []*mech.WrapOptions{sealed, integOnly} {
		out, err := a.Wrap([]byte("kept"), []byte("x"), o)
		requireError(t, err, "wrap", gsserr.ErrFailure, minor)
		require.Equal(t, "kept", string(out))
	}
	out, err := a.GetMIC([]byte("kept"), []byte("x"), 0)
	requireError(t, err, "get_mic", gsserr.ErrFailure, minor)
	require.Equal(t, "kept", string(out))
	require.EqualValues(t, seqAcceptor, a.send.seq)
	requireError(t, requireRefused(t, a, token), "unwrap", gsserr.ErrFailure, minor)
	requireError(t, requireRefused(t, a, integ), "unwrap", gsserr.ErrFailure, minor)
	_, err = a.VerifyMIC([]byte("x"), mic)
	requireError(t, err, "verify_mic", gsserr.ErrFailure, minor)
}
