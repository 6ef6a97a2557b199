package spnego

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var update = flag.Bool("update", false, "rewrite the recorded state tables")

// stage is one state of a negotiation, which reach makes anew for each message.
type stage struct {
	name  string
	state state
	reach func(t *testing.T) (mech.Context, *negotiation)
	token []byte    // the mechanism's token that is due, nil if none is
	mech  *fake     // whose mechListMIC is due
	list  []oid.OID // what it is over
}

// message is a token with its description.
type message struct {
	name   string
	token  []byte
	badMIC bool
}

// steps brings a context to a state with the peer's tokens.
func steps(t *testing.T, c mech.Context, tokens ...[]byte) {
	t.Helper()
	for _, in := range tokens {
		_, _, err := c.Step(t.Context(), in)
		require.NoError(t, err)
	}
}

func respToken(s negState, m oid.OID, token, mic []byte) []byte {
	return (&negTokenResp{negState: s, supportedMech: m, responseToken: token, mechListMIC: mic}).marshal()
}

func initToken(list []oid.OID, token, mic []byte) []byte {
	return (&negTokenInit{mechTypesDER: encodeMechTypes(list), mechToken: token, mechListMIC: mic}).marshal()
}

func initiatorStages() []stage {
	list := []oid.OID{oidA, oidB}
	at := func(a, b int, tokens ...[]byte) func(t *testing.T) (mech.Context, *negotiation) {
		return func(t *testing.T) (mech.Context, *negotiation) {
			c := sideOf(mechA(a), mechB(b)).initiate(t)
			steps(t, c, tokens...)
			return c, &c.negotiation
		}
	}
	dead := func(t *testing.T) (mech.Context, *negotiation) {
		c := sideOf(mechA(2)).initiate(t)
		require.NoError(t, c.Close())
		return c, &c.negotiation
	}
	return []stage{
		{"start", stateStart, at(2, 2), nil, mechA(2), list},
		{"proposed, one leg", stateProposed, at(1, 2, nil), nil, mechA(1), list},
		{"proposed, two legs", stateProposed, at(2, 2, nil), mechA(2).token(2), mechA(2), list},
		{"proposed, four legs", stateProposed, at(4, 2, nil), mechA(4).token(2), mechA(4), list},
		{"third leg of four sent", stateMechanism,
			at(4, 2, nil, respToken(acceptIncomplete, oidA, mechA(4).token(2), nil)), mechA(4).token(4), mechA(4), list},
		{"third leg of three sent", stateMIC,
			at(3, 2, nil, respToken(acceptIncomplete, oidA, mechA(3).token(2), nil)), nil, mechA(3), list},
		{"third leg of three sent with mic", stateMIC,
			at(3, 2, nil, respToken(requestMIC, oidA, mechA(3).token(2), nil)), nil, mechA(3), list},
		{"another mechanism, two legs", stateMechanism,
			at(2, 2, nil, respToken(requestMIC, oidB, nil, nil)), mechB(2).token(2), mechB(2), list},
		{"another mechanism, one leg with mic", stateMIC,
			at(2, 1, nil, respToken(requestMIC, oidB, nil, nil)), nil, mechB(1), list},
		{"established", stateEstablished, at(2, 2, nil, respToken(acceptCompleted, oidA, mechA(2).token(2), nil)), nil, mechA(2), list},
		{"dead", stateDead, dead, nil, mechA(2), list},
	}
}

func acceptorStages() []stage {
	list := []oid.OID{oidC, oidA}
	first := func(legs int) []byte { return initToken([]oid.OID{oidA}, mechA(legs).token(1), nil) }
	at := func(c Config, legs int, tokens ...[]byte) func(t *testing.T) (mech.Context, *negotiation) {
		return func(t *testing.T) (mech.Context, *negotiation) {
			a := side{c: c, mechs: []*fake{mechA(legs), mechB(legs)}}.accept(t)
			steps(t, a, tokens...)
			return a, &a.negotiation
		}
	}
	dead := func(t *testing.T) (mech.Context, *negotiation) {
		c := sideOf(mechA(2)).accept(t)
		require.NoError(t, c.Close())
		return c, &c.negotiation
	}
	none := Config{}
	return []stage{
		{"start", stateStart, at(none, 2), mechA(2).token(1), mechA(2), []oid.OID{oidA}},
		{"start, one leg", stateStart, at(none, 1), mechA(1).token(1), mechA(1), []oid.OID{oidA}},
		{"hinted", stateHinted, at(none, 2, nil), mechA(2).token(1), mechA(2), []oid.OID{oidA}},
		{"chosen without a token", stateMechanism, at(none, 2, initToken([]oid.OID{oidA}, nil, nil)), mechA(2).token(1), mechA(2), []oid.OID{oidA}},
		{"mic requested, one leg", stateMechanism, at(none, 1, initToken(list, nil, nil)), mechA(1).token(1), mechA(1), list},
		{"mic requested, two legs", stateMechanism, at(none, 2, initToken(list, nil, nil)), mechA(2).token(1), mechA(2), list},
		{"second leg of three sent", stateMechanism, at(none, 3, first(3)), mechA(3).token(3), mechA(3), []oid.OID{oidA}},
		{"second leg of two sent with mic", stateMIC, at(none, 2, initToken(list, nil, nil), respToken(noState, oid.OID{}, mechA(2).token(1), nil)), nil, mechA(2), list},
		{"mic demanded, one leg", stateMIC, at(demanding, 1, first(1)), nil, mechA(1), []oid.OID{oidA}},
		{"established", stateEstablished, at(none, 2, first(2)), nil, mechA(2), []oid.OID{oidA}},
		{"dead", stateDead, dead, nil, mechA(2), []oid.OID{oidA}},
	}
}

// messages are all kinds of tokens, for a stage.
func (s *stage) messages(byInitiator bool) []message {
	who, other := []byte("acceptor"), []byte("initiator")
	if byInitiator {
		who, other = other, who
	}
	right := s.mech.mac(who, encodeMechTypes(s.list))
	own := s.mech.mac(other, encodeMechTypes(s.list))
	partial := s.mech.mac(who, encodeMechTypes(s.list[len(s.list)-1:]))
	token := s.token
	if token == nil {
		token = []byte("a token that is not due")
	}
	type part struct {
		name string
		b    []byte
	}
	tokens := []part{{"", nil}, {" empty token", []byte{}}, {" token", token}, {" wrong token", []byte("wrong")}, {" error token", fakeError}}
	mics := []part{{"", nil}, {" empty mic", []byte{}}, {" mic", right}, {" own mic", own}, {" mic of a part", partial}, {" mic like the token", []byte{0}}}
	if len(s.list) == 1 {
		mics = append(mics[:4:4], mics[5:]...)
	}

	if s.state == stateStart && !byInitiator { // all that counts in a hint is the list
		tokens, mics = tokens[:1], mics[:1]
	}
	list := []message{{"nothing", nil, false}, {"garbage", []byte("garbage"), false},
		{"a raw token", token, false}, {"raw NTLM", []byte("NTLMSSP\x00"), false},
		{"hints", (&negTokenInit{mechTypesDER: encodeMechTypes([]oid.OID{oidA}), negHints: encodeHints()}).marshal(), false}}
	add := func(name string, tok, mic part, make func(token, mic []byte) []byte) {
		m := mic.b
		if mic.name == " mic like the token" {
			if m = bytes.Clone(tok.b); len(m) == 0 {
				return
			}
		}
		list = append(list, message{name + tok.name + mic.name, make(tok.b, m), mic.b != nil && mic.name != " mic"})
	}
	for _, tok := range tokens {
		for _, mic := range mics {
			for _, l := range [][]oid.OID{{oidA}, {oidA, oidB}, {oidB, oidA}, {oidC, oidA}, {oidC}, {}} {
				var names []string
				for _, o := range l {
					names = append(names, short(o))
				}
				add("init ["+strings.Join(names, " ")+"]", tok, mic, func(token, mic []byte) []byte { return initToken(l, token, mic) })
			}
			for _, n := range []negState{acceptCompleted, acceptIncomplete, reject, requestMIC, noState} {
				for _, o := range []oid.OID{{}, oidA, oidB, oidC} {
					name := n.String()
					if !o.IsZero() {
						name += " " + short(o)
					}
					add(name, tok, mic, func(token, mic []byte) []byte { return respToken(n, o, token, mic) })
				}
			}
		}
	}
	return list
}

// Every message in every state. What is not in the recorded tables is an error.
func TestStates(t *testing.T) {
	for _, tt := range []struct {
		role   string
		stages []stage
	}{{"initiator", initiatorStages()}, {"acceptor", acceptorStages()}} {
		t.Run(tt.role, func(t *testing.T) {
			var b strings.Builder
			fmt.Fprintf(&b, "# recorded: what the %s's states do with each message; what is not listed is an error\n", tt.role)
			for _, s := range tt.stages {
				c, n := s.reach(t)
				require.Equal(t, s.state, n.state, s.name)
				require.NoError(t, c.Close())
				fmt.Fprintf(&b, "\n%s (%s)\n", s.name, s.state)
				for _, m := range s.messages(tt.role == "acceptor") {
					if got := s.try(t, m); got != "" {
						fmt.Fprintf(&b, "  %-45s -> %s\n", m.name, got)
					}
				}
			}
			file := filepath.Join("testdata", tt.role+"-states.txt")
			if *update {
				require.NoError(t, os.WriteFile(file, []byte(b.String()), 0o644))
			}
			want, err := os.ReadFile(file)
			require.NoError(t, err)
			require.Equal(t, string(want), b.String())
		})
	}
}

// try gives a message to a fresh context in the stage and says what came of it,
// "" for an error.
func (s *stage) try(t *testing.T, m message) string {
	t.Helper()
	c, n := s.reach(t)
	out, more, err := c.Step(t.Context(), bytes.Clone(m.token))
	if err != nil {
		require.Nil(t, out)
		require.False(t, more)
		require.IsType(t, (*gsserr.Error)(nil), err)
		if s.state >= stateEstablished {
			require.ErrorIs(t, err, gsserr.ErrNoContext)
			require.Nil(t, tokenOf(err))
		}
		require.Equal(t, stateDead, max(n.state, s.state, stateDead), m.name)
		_, _, err = c.Step(t.Context(), m.token)
		require.ErrorIs(t, err, gsserr.ErrNoContext)
		return ""
	}
	require.Less(t, s.state, stateEstablished, m.name)
	require.Equal(t, n.state == stateEstablished, !more)
	if n.state == stateEstablished {
		require.True(t, n.innerDone)
		require.True(t, !n.micRequired || n.micReceived && n.micSent, m.name)
		if m.badMIC {
			require.Contains(t, m.name, "mic like the token")
		}
	}
	what := n.state.String()
	if out != nil {
		what += ": " + text(out)
	}
	return what
}
