package apreq

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

const (
	athena = "ATHENA.MIT.EDU"
	cs     = "CS.WASHINGTON.EDU"
)

// The examples of RFC 4120 §3.3.3.2, and what follows from its words.
func TestExpandTransited(t *testing.T) {
	for _, tc := range []struct {
		name, client, server, text string
		want                       []string
	}{
		{"domain style", athena, cs, "EDU,MIT.,WASHINGTON.EDU", []string{"EDU", "MIT.EDU", "WASHINGTON.EDU"}},
		{"domain style, both ends", "X", "Y", "EDU,MIT.,ATHENA.,WASHINGTON.EDU,CS.", []string{"EDU", "MIT.EDU", athena, "WASHINGTON.EDU", cs}},
		{"X.500 style", "/COM/HP/APOLLO", "/COM/DEC", "/COM,/HP", []string{"/COM", "/COM/HP"}},
		{"X.500 style, both ends", "X", "Y", "/COM,/HP,/APOLLO, /COM/DEC", []string{"/COM", "/COM/HP", "/COM/HP/APOLLO", "/COM/DEC"}},
		{"all of them", athena, cs, ",", []string{"MIT.EDU", "EDU", "WASHINGTON.EDU"}},
		{"two hierarchies", athena, "/COM/HP/APOLLO", ",EDU, /COM,", []string{"MIT.EDU", "EDU", "/COM", "/COM/HP"}},
		{"hole in the middle", "X", "Y", "EDU,,MIT.EDU,,Z.ATHENA.MIT.EDU", []string{"EDU", "MIT.EDU", athena, "Z.ATHENA.MIT.EDU"}},
		{"hole before the server", "EDU", athena, "EDU,", []string{"EDU", "MIT.EDU"}},
		{"nothing in the hole", "MIT.EDU", "EDU", ",", nil},
		{"one realm", "A", "A", ",", nil},
		{"space, not abbreviated", "X", "Y", "EDU, MIT.", []string{"EDU", "MIT."}},
		{"first entry has nothing before it", "CLIENT", "Y", "MIT.", []string{"MIT."}},
		{"quoted comma", "X", "Y", `A\,B,C`, []string{"A,B", "C"}},
		{"quoted backslash", "X", "Y", `A\\,C`, []string{`A\`, "C"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got, err := expand(tc.client, tc.server, tc.text)
			require.NoError(t, err)
			require.Equal(t, tc.want, got)
		})
	}
}

func TestCheckTransited(t *testing.T) {
	for _, tc := range []struct {
		name, client, server, text string
		capaths                    []string
		ok                         bool
	}{
		{"hierarchy", athena, cs, "EDU,MIT.,WASHINGTON.EDU", nil, true},
		{"hierarchy in short", athena, cs, ",", nil, true},
		{"part of it", athena, cs, "EDU", nil, true},
		{"the ends themselves", athena, cs, athena + "," + cs, nil, true},
		{"down only", "EDU", cs, "WASHINGTON.EDU", nil, true},
		{"up only", athena, "EDU", "MIT.EDU", nil, true},
		{"X.500", "/COM/HP/APOLLO", "/COM/DEC", "/COM,/HP", nil, true},
		{"beside the hierarchy", athena, cs, "EDU,EVIL.", nil, false},
		{"above the common ancestor", "A.B.EDU", "C.B.EDU", "EDU", nil, false},
		{"below the server", "EDU", "MIT.EDU", athena, nil, false},
		{"no hierarchy", "ONE.TEST", "TWO.EXAMPLE", "TEST", nil, false},
		{"case counts", athena, cs, "edu", nil, false},
		{"a suffix is no parent", "XMIT.EDU", "MIT.EDU", "EDU", nil, true},
		{"capaths", "A", "B", "HUB", []string{"HUB"}, true},
		{"capaths, two", "A", "B", "HUB,OTHER", []string{"OTHER", "HUB"}, true},
		{"capaths, not that one", "A", "B", "EVIL", []string{"HUB"}, false},
		{"capaths in place of the hierarchy", athena, cs, "EDU", []string{"HUB"}, false},
		{"capaths: directly", athena, cs, "EDU", []string{"."}, false},
		{"capaths: directly, and so it was", athena, cs, cs, []string{"."}, true},
		// What hides behind a hole counts: the realms in it were passed through.
		{"hole against capaths", athena, "/COM/HP", ",EDU, /COM,", []string{"EDU", "/COM"}, false},
		{"hole that capaths allow", athena, "/COM/HP", ",EDU, /COM,", []string{"EDU", "/COM", "MIT.EDU"}, true},
		{"hole that nobody knows", "A.TEST", "B.EXAMPLE", ",", []string{"HUB"}, false},
		{"hole before a realm elsewhere", "A.TEST", "B.EXAMPLE", ",HUB", []string{"HUB"}, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := CheckTransited(tc.client, tc.server, []byte(tc.text), tc.capaths)
			if tc.ok {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, krberr.APIllCrTkt)
		})
	}
}

func TestCheckTransitedHostile(t *testing.T) {
	deep := strings.Repeat("A.", 1<<15) + "TEST"
	for _, text := range []string{
		"\x00", "A\x00", "A\\\x00", "\\", "A\\", "A,\\", " ", "A, ", "A, ,B", strings.Repeat("A,", maxTransited+1),
		strings.Repeat(",", 1<<16), strings.Repeat("A,", 1<<15), deep, "," + deep, deep + ",", strings.Repeat("\\,", 1<<15),
		strings.Repeat("A.,", maxTransited), strings.Repeat("/A,", maxTransited), "EVIL.TEST\n", "EDU,MIT.,EVIL.",
	} {
		require.ErrorIs(t, CheckTransited(athena, cs, []byte(text), nil), krberr.APIllCrTkt, "%.40q", text)
		require.ErrorIs(t, CheckTransited(deep, "B."+deep, []byte("EVIL,"+text), nil), krberr.APIllCrTkt, "%.40q", text)
	}
	require.ErrorIs(t, CheckTransited(deep, "TEST", []byte(","), nil), krberr.APIllCrTkt)
	require.ErrorIs(t, CheckTransited("", "", []byte("A"), nil), krberr.APIllCrTkt)
}

func FuzzCheckTransited(f *testing.F) {
	f.Add(athena, cs, "EDU,MIT.,WASHINGTON.EDU", "")
	f.Add(athena, "/COM/HP/APOLLO", ",EDU, /COM,", "EDU")
	f.Add("A", "B", `A\,B,\\`, "HUB")
	f.Fuzz(func(t *testing.T, client, server, text, capath string) {
		var capaths []string
		if capath != "" {
			capaths = []string{capath}
		}
		err := CheckTransited(client, server, []byte(text), capaths)
		realms, xerr := expand(client, server, text)
		if xerr != nil {
			require.ErrorIs(t, err, krberr.APIllCrTkt)
			return
		}
		require.LessOrEqual(t, len(realms), maxTransited*(2*maxTransited+1))
		if err != nil {
			return
		}
		// Whatever is accepted was on the list of one who may say so.
		allowed := capaths
		if len(allowed) == 0 {
			allowed, _ = principal.Between(client, server)
		}
		for _, r := range realms {
			require.True(t, r == client || r == server || slices.Contains(allowed, r), "%q", r)
		}
	})
}
