package spnego

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

// exchanges are those that are tampered with. Together they go through every
// state.
var exchanges = []struct {
	name string
	i, a side
	hint bool
}{
	{"one leg", sideOf(mechA(1), mechB(1)), sideOf(mechA(1), mechB(1)), false},
	{"two legs", sideOf(mechA(2), mechB(2)), sideOf(mechA(2), mechB(2)), false},
	{"three legs", sideOf(mechA(3), mechB(3)), sideOf(mechA(3), mechB(3)), false},
	{"second mechanism", sideOf(mechA(2), mechB(2)), sideOf(mechB(2)), false},
	{"second mechanism, one leg", sideOf(mechA(1), mechB(1)), sideOf(mechB(1)), false},
	{"demanded", sideOf(mechA(2)), side{c: demanding, mechs: []*fake{mechA(2)}}, false},
	{"hint", sideOf(mechA(2)), sideOf(mechA(2)), true},
}

// ending is how an exchange came out.
type ending struct {
	tokens       []string
	iErr, aErr   error
	iDone, aDone bool
	mechs        [2]oid.OID
	stuck        bool // a side waits for the rest of a token
}

// play runs an exchange to its end, with one token changed.
func play(t *testing.T, i *initiator, a *acceptor, hint bool, change func(leg int, token []byte) []byte) (e ending) {
	t.Helper()
	contexts := [2]mech.Context{i, a}
	errs, done := [2]*error{&e.iErr, &e.aErr}, [2]*bool{&e.iDone, &e.aDone}
	turn := 0
	if hint {
		turn = 1
	}
	var token []byte
	for leg := 0; leg < 20 && !*done[turn]; leg++ {
		out, more, err := contexts[turn].Step(t.Context(), token)
		if err != nil {
			require.Nil(t, out)
			*errs[turn] = err
			break
		}
		*done[turn] = !more
		if len(out) == 0 {
			if e.stuck = more; more { // what its peer would do next has nothing to do with it
				_, _, err := contexts[turn].Step(t.Context(), nil)
				require.Error(t, err)
			}
			break
		}
		e.tokens = append(e.tokens, text(out))
		if token = bytes.Clone(out); change != nil {
			token = change(leg, token)
		}
		turn = 1 - turn
	}
	e.mechs = [2]oid.OID{i.Info().Mech, a.Info().Mech}
	return e
}

func (e *ending) both() bool { return e.iDone && e.aDone }

// Every truncation and every flipped bit of every token: an error, or else
// nothing that counts is different. The flips that change nothing are recorded.
func TestTamper(t *testing.T) {
	var b strings.Builder
	fmt.Fprintln(&b, "# recorded: the flipped bits that leave both sides with the context they want: nothing protects them, and nothing depends on them; how many")
	for _, x := range exchanges {
		whole := play(t, x.i.initiate(t), x.a.accept(t), x.hint, nil)
		require.NoError(t, whole.iErr)
		require.NoError(t, whole.aErr)
		require.True(t, whole.both())
		fmt.Fprintf(&b, "\n%s\n", x.name)
		for leg := range whole.tokens {
			var token []byte
			play(t, x.i.initiate(t), x.a.accept(t), x.hint, func(l int, in []byte) []byte {
				if l == leg {
					token = bytes.Clone(in)
				}
				return in
			})
			tampered := func(bad []byte) ending {
				return play(t, x.i.initiate(t), x.a.accept(t), x.hint, func(l int, in []byte) []byte {
					if l == leg {
						return bad
					}
					return in
				})
			}
			for n := range token {
				if n == 0 && x.hint && leg == 0 {
					continue // the initiator speaks first then
				}
				e := tampered(token[:n:n])
				require.True(t, e.iErr != nil || e.aErr != nil || e.stuck, "%s, leg %d: cut to %d bytes", x.name, leg, n)
				require.False(t, e.both())
			}
			for _, bad := range [][]byte{append(bytes.Clone(token), 0), append(bytes.Clone(token), token...), append([]byte{0}, token...)} {
				e := tampered(bad)
				require.True(t, e.iErr != nil || e.aErr != nil, "%s, leg %d: %x", x.name, leg, bad)
				require.False(t, e.both())
			}
			bits := make(map[string]int)
			var lines []string
			for n := range len(token) * 8 {
				bad := bytes.Clone(token)
				bad[n/8] ^= 1 << (n % 8)
				e := tampered(bad)
				if e.iErr != nil || e.aErr != nil || e.stuck {
					require.False(t, e.both())
					continue
				}
				require.True(t, e.both(), "%s, leg %d, bit %d of byte %d: %s", x.name, leg, n%8, n/8, text(bad))
				require.Equal(t, whole.mechs, e.mechs)
				line := text(token) + " -> " + text(bad)
				if strings.Join(e.tokens, "; ") != strings.Join(whole.tokens, "; ") {
					line += ", and then " + strings.Join(e.tokens[leg+1:], "; ")
				}
				if bits[line]++; bits[line] == 1 {
					lines = append(lines, line)
				}
			}
			for _, line := range lines {
				fmt.Fprintf(&b, "  %s: %d\n", line, bits[line])
			}
		}
	}
	file := filepath.Join("testdata", "flips.txt")
	if *update {
		require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String())
}
