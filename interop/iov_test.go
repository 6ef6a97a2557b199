package interop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

const layoutsEachWay = 1_000

// iovLibrary is a C library with the calls for messages in pieces.
type iovLibrary struct {
	name  string
	build func() (string, error)
	// full says that it has streams, MICs and AEAD.
	full bool
}

var iovLibraries = []iovLibrary{
	{"MIT", sync.OnceValues(func() (string, error) { return mitkdc.Build(filepath.Dir(programs.peer), "c/iovpeer.c") }), true},
	{"Heimdal", sync.OnceValues(buildIOVHeimdal), false},
}

func buildIOVHeimdal() (string, error) {
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "heimdal-gssapi").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pkg-config: %w: %s (Debian: apt-get install heimdal-multidev)", err, flags)
	}
	out := filepath.Join(filepath.Dir(programs.peer), "iovpeer-heimdal")
	args := append([]string{"-DHEIMDAL", "-O2", "-Wall", "-Wextra", "-Werror", "-o", out, "c/iovpeer.c"}, strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc: %w\n%s", err, msg)
	}
	return out, nil
}

// piecewise is a context with a peer for messages in pieces.
type piecewise struct {
	*pair
	lib iovLibrary
	dce bool
	rnd *rand.Rand
	// v1 says that the tokens are those of RFC 1964, blocks that they are of
	// Triple-DES.
	v1, blocks bool
	// deaf says that the peer understands nothing.
	deaf bool
}

// establishIOV establishes a context for a service of one enctype. initiate is
// our role.
func establishIOV(t *testing.T, lib iovLibrary, enctype string, initiate, dce bool) *piecewise {
	t.Helper()
	path, err := lib.build()
	require.NoError(t, err)
	conf := enctype + ".conf"
	cc := kinit(t, conf, "alice")
	r, _ := engine(t, conf, cc)
	p := &pair{flags: gssapi.DefaultFlags}
	if dce {
		p.flags |= gssapi.FlagDCEStyle
	}
	args := []string{"service=" + enctype + "@localhost", fmt.Sprintf("flags=%x", uint32(p.flags))}
	if initiate {
		p.ours, err = gssapi.InitContext(gssapi.HostBased(enctype, "localhost"), &gssapi.InitOptions{Registry: r, Flags: p.flags})
		p.peer = startProgram(t, path, environ(conf, cc), append([]string{"accept"}, args...)...)
	} else {
		p.ours, err = gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: acceptor(t, r, enctype)})
		p.peer = startProgram(t, path, environ(conf, cc), append([]string{"initiate"}, args...)...)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.ours.Close()) })
	ourErr := gssapi.Exchange(testContext(t), p.ours, p.peer.send, p.peer.recv)
	if ourErr != nil {
		require.NoError(t, p.peer.in.Close())
	}
	p.said, err = p.peer.established()
	require.NoError(t, ourErr)
	require.NoError(t, err)
	require.Equal(t, longName(enctype), p.ours.Info().Enctype)
	require.Equal(t, dce, p.ours.Info().Flags.Has(gssapi.FlagDCEStyle))
	require.Equal(t, dce, gssapi.Flags(p.said.flags).Has(gssapi.FlagDCEStyle))
	return &piecewise{pair: p, lib: lib, dce: dce, rnd: rand.New(rand.NewPCG(4121, 5))}
}

// longName is an enctype's name in configurations.
func longName(short string) string {
	for _, e := range enctypes {
		if e.short == short {
			return e.long
		}
	}
	for _, e := range legacy {
		if e.short == short {
			return e.long
		}
	}
	return ""
}

// encode is the form in which buffers go to a peer and come from it.
func encode(b []iov.Buffer) []byte {
	var out []byte
	for i := range b {
		alloc := byte(0)
		if b[i].Alloc {
			alloc = 1
		}
		out = binary.BigEndian.AppendUint32(append(out, byte(b[i].Type), alloc), uint32(len(b[i].Bytes)))
		out = append(out, b[i].Bytes...)
	}
	return out
}

func decode(t *testing.T, in []byte) (b []iov.Buffer) {
	t.Helper()
	for len(in) > 0 {
		require.GreaterOrEqual(t, len(in), 6)
		n := int(binary.BigEndian.Uint32(in[2:]))
		require.GreaterOrEqual(t, len(in), 6+n)
		b = append(b, iov.Buffer{Type: iov.Type(in[0]), Bytes: in[6:][:n:n]})
		in = in[6+n:]
	}
	return b
}

func cloneBuffers(b []iov.Buffer) []iov.Buffer {
	b = slices.Clone(b)
	for i := range b {
		b[i].Bytes = bytes.Clone(b[i].Bytes)
	}
	return b
}

func one(yes bool) byte {
	if yes {
		return 1
	}
	return 0
}

// pieces asks the peer for a result that is a flag and buffers.
func (p *piecewise) pieces(t *testing.T, command byte, head []byte, b []iov.Buffer) (bool, []iov.Buffer, error) {
	t.Helper()
	out, err := p.peer.ask(command, head, encode(b))
	if err != nil && !gsserr.Informational(err) {
		return false, nil, err
	}
	require.NotEmpty(t, out)
	return out[0] == 1, decode(t, out[1:]), err
}

// layout is a random message in pieces.
func (p *piecewise) layout() []iov.Buffer {
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(p.rnd.Uint32())
		}
		return b
	}
	var b []iov.Buffer
	for range 1 + p.rnd.IntN(5) {
		n := p.rnd.IntN(70)
		if p.rnd.IntN(8) == 0 {
			n = p.rnd.IntN(5000)
		}
		typ := []iov.Type{iov.Data, iov.Data, iov.Data, iov.SignOnly, iov.Empty}[p.rnd.IntN(5)]
		if typ == iov.Empty {
			n = 0
		}
		b = append(b, iov.Buffer{Type: typ, Bytes: fill(n)})
	}
	// Without data MIT's library does not encrypt, whatever it is asked for.
	if !slices.ContainsFunc(b, func(b iov.Buffer) bool { return b.Type == iov.Data }) {
		b = append(b, iov.Buffer{Type: iov.Data, Bytes: fill(p.rnd.IntN(20))})
	}
	if p.blocks && p.dce { // where padding is the caller's affair
		b = append(b, iov.Buffer{Type: iov.Data, Bytes: fill((8 - len(dataOf(b))%8) % 8)})
	}
	alloc := p.rnd.IntN(2) == 0
	at := 0
	if p.rnd.IntN(4) == 0 {
		at = p.rnd.IntN(len(b) + 1) // DCE RPC has its header behind
	}
	b = slices.Insert(b, at, iov.Buffer{Type: iov.Header, Alloc: alloc})
	// Heimdal takes neither in DCE style.
	if p.lib.full || !p.dce {
		if p.v1 && !p.dce || p.rnd.IntN(2) == 0 {
			b = append(b, iov.Buffer{Type: iov.Padding, Alloc: alloc})
		}
		if p.rnd.IntN(2) == 0 {
			b = append(b, iov.Buffer{Type: iov.Trailer, Alloc: alloc})
		}
	}
	return b
}

func lengthsFirst(b []iov.Buffer) bool {
	return !slices.ContainsFunc(b, func(b iov.Buffer) bool { return b.Alloc })
}

func dataOf(b []iov.Buffer) []byte {
	out := []byte{}
	for i := range b {
		if b[i].Type == iov.Data {
			out = append(out, b[i].Bytes...)
		}
	}
	return out
}

func bufferOf(b []iov.Buffer, typ iov.Type) []byte {
	for i := range b {
		if b[i].Type == typ {
			return b[i].Bytes
		}
	}
	return nil
}

// token is b in one piece: not the order of the buffers counts.
func token(b []iov.Buffer) []byte {
	return slices.Concat(bufferOf(b, iov.Header), dataOf(b), bufferOf(b, iov.Padding), bufferOf(b, iov.Trailer))
}

// signs says that there is something in b which is only signed.
func signs(b []iov.Buffer) bool {
	return slices.ContainsFunc(b, func(b iov.Buffer) bool { return b.Type == iov.SignOnly && len(b.Bytes) > 0 })
}

// stream returns b as a stream, if it can be one: all data together, and what is
// signed before and behind.
func stream(b []iov.Buffer) ([]iov.Buffer, bool) {
	out := []iov.Buffer{{Type: iov.Stream, Bytes: token(b)}}
	state := 0 // before, in and behind the data
	for i := range b {
		switch {
		case b[i].Type == iov.Data && state == 2:
			return nil, false
		case b[i].Type == iov.Data && state == 0:
			out = append(out, iov.Buffer{Type: iov.Data})
			state = 1
		case b[i].Type == iov.SignOnly:
			out = append(out, b[i])
			if state == 1 {
				state = 2
			}
		}
	}
	return out, state > 0
}

// give wraps a message here and has the peer unwrap it, in any of the ways that
// there are.
func (p *piecewise) give(t *testing.T, encrypt bool) {
	t.Helper()
	b := p.layout()
	o := &gssapi.WrapOptions{IntegrityOnly: !encrypt}
	if lengthsFirst(b) {
		require.NoError(t, p.ours.WrapIOVLength(b, o))
	}
	shape := fmt.Sprint(b)
	plain := cloneBuffers(b)
	require.NoError(t, p.ours.WrapIOV(b, o))
	for i := range b {
		b[i].Alloc = false // to unwrap there is nothing to allocate
	}
	var conf bool
	var got []byte
	var err error
	s, ok := stream(b)
	switch way := p.rnd.IntN(3); {
	case way == 1 && ok && p.lib.full && !p.dce && !(p.blocks && signs(b)):
		// MIT's library takes all padding but one byte for data, in front of
		// what is only signed.
		var result []iov.Buffer
		conf, result, err = p.pieces(t, 'U', nil, s)
		got = dataOf(result)
	case way == 2 && !signs(b) && !p.dce:
		got, conf, err = p.peer.unwrap(token(b))
	default:
		var result []iov.Buffer
		conf, result, err = p.pieces(t, 'U', nil, b)
		got = dataOf(result)
	}
	require.NoError(t, err, shape)
	require.Equal(t, encrypt, conf, shape)
	require.True(t, bytes.Equal(dataOf(plain), got), shape)
}

// take is the other direction.
func (p *piecewise) take(t *testing.T, encrypt bool) {
	t.Helper()
	plain := p.layout()
	shape := fmt.Sprint(plain)
	conf, b, err := p.pieces(t, 'W', []byte{one(encrypt), one(lengthsFirst(plain))}, plain)
	require.NoError(t, err, shape)
	require.Equal(t, encrypt, conf, shape)

	bad := cloneBuffers(b)
	i := p.rnd.IntN(len(bad))
	for len(bad[i].Bytes) == 0 {
		i = p.rnd.IntN(len(bad))
	}
	if bit := p.rnd.IntN(8 * len(bad[i].Bytes)); !p.v1 || bad[i].Type == iov.Data {
		bad[i].Bytes[bit/8] ^= 1 << (bit % 8)
		_, err = p.ours.UnwrapIOV(bad)
		require.Error(t, err, shape)
		require.False(t, gssapi.Informational(err), shape)
		require.Empty(t, bytes.Trim(dataOf(bad), "\x00"), shape)
	}

	var info mech.MessageInfo
	var got []byte
	s, ok := stream(b)
	switch way := p.rnd.IntN(3); {
	case way == 1 && ok && !p.dce:
		if p.rnd.IntN(2) == 0 {
			s[slices.IndexFunc(s, func(b iov.Buffer) bool { return b.Type == iov.Data })].Alloc = true
		}
		info, err = p.ours.UnwrapIOV(s)
		got = dataOf(s)
	case way == 2 && !signs(b) && !(p.v1 && p.dce):
		got, info, err = p.ours.Unwrap(nil, token(b))
	default:
		info, err = p.ours.UnwrapIOV(b)
		got = dataOf(b)
	}
	require.NoError(t, err, shape)
	require.Equal(t, encrypt, info.Encrypted, shape)
	require.True(t, bytes.Equal(dataOf(plain), got), shape)
}

// whole takes what the peer wraps in one piece as a stream, and gives it ours.
func (p *piecewise) whole(t *testing.T, encrypt bool) {
	t.Helper()
	msg := make([]byte, p.rnd.IntN(300))
	b := []iov.Buffer{{Type: iov.Stream, Bytes: p.peer.wrap(msg, encrypt)}, {Type: iov.Data}}
	info, err := p.ours.UnwrapIOV(b)
	require.NoError(t, err)
	require.Equal(t, encrypt, info.Encrypted)
	require.True(t, bytes.Equal(msg, b[1].Bytes))
	if !p.lib.full {
		return
	}
	ours, err := p.ours.Wrap(nil, msg, &gssapi.WrapOptions{IntegrityOnly: !encrypt})
	require.NoError(t, err)
	conf, result, err := p.pieces(t, 'U', nil, []iov.Buffer{{Type: iov.Stream, Bytes: ours}, {Type: iov.Data}})
	require.NoError(t, err)
	require.Equal(t, encrypt, conf)
	require.True(t, bytes.Equal(msg, dataOf(result)))
}

// sign has either side verify what the other signs, in pieces and in one.
func (p *piecewise) sign(t *testing.T) {
	t.Helper()
	b := slices.DeleteFunc(p.layout(), func(b iov.Buffer) bool {
		return b.Type != iov.Data && b.Type != iov.SignOnly && b.Type != iov.Empty
	})
	var msg []byte
	for i := range b {
		msg = append(msg, b[i].Bytes...)
	}
	alloc := p.rnd.IntN(2) == 0
	at := p.rnd.IntN(len(b) + 1)
	b = slices.Insert(b, at, iov.Buffer{Type: iov.MICToken, Alloc: alloc})
	theirs := cloneBuffers(b)
	if !alloc {
		require.NoError(t, p.ours.GetMICIOVLength(b))
	}
	require.NoError(t, p.ours.GetMICIOV(b))
	if p.rnd.IntN(2) == 0 {
		require.NoError(t, p.peer.verify(msg, b[at].Bytes))
	} else {
		b[at].Alloc = false
		_, err := p.peer.ask('V', encode(b))
		require.NoError(t, err)
	}
	_, result, err := p.pieces(t, 'M', []byte{one(!alloc)}, theirs)
	require.NoError(t, err)
	if p.rnd.IntN(2) == 0 {
		require.NoError(t, p.ours.VerifyMIC(msg, result[at].Bytes))
	} else {
		require.NoError(t, p.ours.VerifyMICIOV(result))
	}
}

// associated goes through the calls for associated data.
func (p *piecewise) associated(t *testing.T, encrypt bool) {
	t.Helper()
	msg, ad := make([]byte, p.rnd.IntN(300)), make([]byte, p.rnd.IntN(50))
	head := binary.BigEndian.AppendUint32(nil, uint32(len(ad)))
	// Of RFC 1964, MIT's library makes room for a token as long as if the
	// associated data were a part of it, and leaves a gap if that makes the
	// length one byte longer.
	if !p.v1 || len(msg)+len(ad) < 60 {
		sealed, err := p.peer.ask('A', []byte{one(encrypt)}, head, ad, msg)
		require.NoError(t, err)
		require.Equal(t, one(encrypt), sealed[0])
		got, info, err := p.ours.UnwrapAEAD(nil, sealed[1:], ad)
		require.NoError(t, err)
		require.Equal(t, encrypt, info.Encrypted)
		require.True(t, bytes.Equal(msg, got))
	}

	ours, err := p.ours.WrapAEAD(nil, msg, ad, &gssapi.WrapOptions{IntegrityOnly: !encrypt})
	require.NoError(t, err)
	opened, err := p.peer.ask('a', head, ad, ours)
	require.NoError(t, err)
	require.Equal(t, one(encrypt), opened[0])
	require.True(t, bytes.Equal(msg, opened[1:]))
}

// run exchanges messages in every way that both sides have.
func (p *piecewise) run(t *testing.T, layouts int) {
	for n := range layouts {
		encrypt := n%3 != 0
		if !p.deaf {
			p.give(t, encrypt)
		}
		// Heimdal makes no message without encryption in DCE style.
		p.take(t, encrypt || p.dce && !p.lib.full)
		if n%5 == 0 && !p.dce {
			p.whole(t, encrypt)
		}
		if n%5 == 1 && p.lib.full {
			p.sign(t)
		}
		if n%5 == 2 && p.lib.full && !p.dce {
			p.associated(t, encrypt)
		}
	}
}

// Every library, enctype, role and style; a thousand random layouts in either
// direction for each library and enctype, and none refused.
func TestIOV(t *testing.T) {
	for _, lib := range iovLibraries {
		for _, e := range enctypes {
			for _, dce := range []bool{false, true} {
				for _, initiate := range []bool{true, false} {
					t.Run(fmt.Sprintf("%s/%s/dce=%v/initiate=%v", lib.name, e.short, dce, initiate), func(t *testing.T) {
						establishIOV(t, lib, e.short, initiate, dce).run(t, layoutsEachWay)
					})
				}
			}
		}
	}
}
