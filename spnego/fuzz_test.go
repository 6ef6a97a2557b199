package spnego

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// seeds adds the tokens of all exchanges, and those that real peers have sent.
func seeds(f *testing.F) {
	for _, x := range exchanges {
		i, a := x.i.initiate(f), x.a.accept(f)
		for _, token := range run(f, i, a, nil).tokens {
			f.Add(token)
		}
	}
	files, err := filepath.Glob(filepath.Join("testdata", "lenient", "*.txt"))
	require.NoError(f, err)
	for _, file := range files {
		_, token := lenient(f, file)
		f.Add(token)
	}
	f.Add(goldenHint)
	f.Add(goldenReject)
}

// lenient reads a token of testdata/lenient: the deviation and who sends it in
// the first line, the token in hexadecimal below.
func lenient(t testing.TB, file string) (title string, token []byte) {
	t.Helper()
	b, err := os.ReadFile(file)
	require.NoError(t, err)
	first, rest, _ := bytes.Cut(b, []byte("\n"))
	return string(first), unhex(string(rest))
}

// What is accepted encodes to itself. The one freedom that is left is a frame
// around an answer; testdata/lenient has it.
func FuzzParseInit(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := parseInit(in)
		if err != nil {
			require.ErrorIs(t, err, errSyntax)
			return
		}
		require.LessOrEqual(t, len(got.mechTypes), maxMechs)
		require.Equal(t, encodeMechTypes(got.mechTypes), got.mechTypesDER)
		require.Equal(t, in, got.marshal())
	})
}

func FuzzParseResp(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := parseResp(in)
		if err != nil {
			require.ErrorIs(t, err, errSyntax)
			return
		}
		out := got.marshal()
		if in[0] == tagFrame {
			out = mech.AppendToken(nil, oid.SPNEGO, out)
		}
		require.Equal(t, in, out)
	})
}

// FuzzFragments cuts a token where the fuzzer says.
func FuzzFragments(f *testing.F) {
	f.Add(goldenHint, uint16(3), uint16(7))
	f.Add(goldenReject, uint16(1), uint16(2))
	f.Fuzz(func(t *testing.T, in []byte, a, b uint16) {
		var fr fragments
		rest := in
		for _, n := range []uint16{a, b} {
			n := min(int(n), len(rest))
			piece := rest[:n:n]
			token, whole, err := fr.add(piece)
			if err != nil || whole {
				require.True(t, err != nil || bytes.HasPrefix(in, token))
				return
			}
			require.Nil(t, token)
			rest = rest[n:]
		}
		token, whole, err := fr.add(rest)
		if whole {
			require.NoError(t, err)
			require.Equal(t, in, token)
		}
	})
}

// live gives each stage of a role the fuzzer's tokens, one after the other, and
// checks what must hold of any context.
func live(t *testing.T, stages []stage, which uint8, tokens ...[]byte) {
	s := stages[int(which)%len(stages)]
	c, n := s.reach(t)
	over := s.state >= stateEstablished
	for _, in := range tokens {
		before := bytes.Clone(in)
		out, more, err := c.Step(t.Context(), in)
		require.Equal(t, before, in, "the token is the caller's")
		switch {
		case err != nil:
			require.Nil(t, out)
			require.False(t, more)
			require.True(t, n.state == stateDead || over)
			over = true
		case over:
			t.Fatal("a step after the end")
		case !more:
			require.True(t, n.innerDone && n.open != nil)
			require.True(t, !n.micRequired || n.micSent && n.micReceived)
			over = true
		default:
			require.LessOrEqual(t, len(out), 1<<12)
		}
		if len(out) > 0 {
			require.NotEqual(t, "?", text(out), "%x", out)
		}
	}
	require.NoError(t, c.Close())
}

func FuzzInitStep(f *testing.F) {
	stages := initiatorStages()
	for k, s := range stages {
		f.Add(uint8(k), respToken(acceptIncomplete, oid.OID{}, s.token, nil), goldenReject)
		f.Add(uint8(k), respToken(requestMIC, oidB, s.token, s.mech.mac([]byte("acceptor"), encodeMechTypes(s.list))), goldenCompleted)
	}
	f.Add(uint8(0), goldenHint, goldenCompleted)
	f.Fuzz(func(t *testing.T, which uint8, one, two []byte) { live(t, stages, which, one, two) })
}

func FuzzAcceptStep(f *testing.F) {
	stages := acceptorStages()
	for k, s := range stages {
		f.Add(uint8(k), respToken(acceptIncomplete, oid.OID{}, s.token, nil), goldenReject)
		f.Add(uint8(k), initToken(s.list, s.token, nil), respToken(noState, oid.OID{}, nil, s.mech.mac([]byte("initiator"), encodeMechTypes(s.list))))
		f.Add(uint8(k), initToken(s.list, nil, nil), respToken(noState, oid.OID{}, s.mech.token(1), nil))
	}
	f.Fuzz(func(t *testing.T, which uint8, one, two []byte) { live(t, stages, which, one, two) })
}

// Tokens that differ from what RFC 4178 asks for and are taken all the same.
func TestLenient(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "lenient", "*.txt"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			title, token := lenient(t, file)
			require.Contains(t, title, "# ")
			_, errInit := parseInit(token)
			_, errResp := parseResp(token)
			require.True(t, errInit == nil || errResp == nil, "%v; %v", errInit, errResp)
		})
	}
}
