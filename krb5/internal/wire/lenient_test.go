package wire

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// checkMalleability parses b. If it is accepted, its encoding is b again, or
// differs from b by what testdata/lenient lists and then encodes to itself.
func checkMalleability(t testing.TB, c codec, b []byte) {
	v, again, err := c.recode(b)
	if err != nil || bytes.Equal(b, again) {
		return
	}
	require.NoError(t, explain(b, again), "%s\nread    %x\nwritten %x", c.name, b, again)
	v2, third, err := c.recode(again)
	require.NoError(t, err, "%x", again)
	require.Equal(t, v, v2)
	require.Equal(t, again, third)
}

// explain compares two encodings and returns an error unless all differences
// are listed deviations.
func explain(in, out []byte) error {
	a, b := children(in), children(out)
	if a == nil || b == nil {
		return fmt.Errorf("%x became %x", in, out)
	}
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(a) > 0 && len(b) > 0 && a[0].tag == b[0].tag:
			if err := explainElement(a[0], b[0]); err != nil {
				return err
			}
			a, b = a[1:], b[1:]
		case len(a) > 0 && (len(b) == 0 || a[0].tag < b[0].tag):
			if !droppable(a[0]) {
				return fmt.Errorf("%x was dropped", join(a[0]))
			}
			a = a[1:]
		default:
			if !addable(b[0]) {
				return fmt.Errorf("%x was added", join(b[0]))
			}
			b = b[1:]
		}
	}
	return nil
}

func explainElement(a, b element) error {
	switch {
	case bytes.Equal(a.value, b.value):
		return nil
	case a.tag == 2: // kvno, seq-number, nonce
		x, ok1 := parseInteger(a.value)
		y, ok2 := parseInteger(b.value)
		if ok1 && ok2 && uint32(x) == uint32(y) {
			return nil
		}
	case a.tag == 3: // KerberosFlags
		x, y := make([]byte, 4), b.value[1:]
		copy(x, a.value[1:])
		if bytes.Equal(x, y) {
			return nil
		}
	case a.tag&0x20 != 0:
		return explain(a.value, b.value)
	}
	return fmt.Errorf("%x became %x", join(a), join(b))
}

func children(b []byte) []element {
	list := []element{}
	for len(b) > 0 {
		e, rest, ok := split(b)
		if !ok {
			return nil
		}
		list, b = append(list, e), rest
	}
	return list
}

// droppable fields: kvno 0, an empty e-text, microseconds without their time.
func droppable(e element) bool {
	switch e.tag {
	case 0xa1:
		return bytes.Equal(e.value, []byte{2, 1, 0})
	case 0xa3:
		return len(e.value) > 2 && e.value[0] == 2
	case 0xab:
		return bytes.Equal(e.value, []byte{0x1b, 0})
	}
	return false
}

// addable fields: microseconds 0 beside their time.
func addable(e element) bool {
	return (e.tag == 0xa1 || e.tag == 0xa3) && bytes.Equal(e.value, []byte{2, 1, 0})
}

// lenientFile is an entry of testdata/lenient: a comment with the deviation and
// the peer in line 1, then the name of the type, what is accepted and what
// Append writes for it.
type lenientFile struct {
	name, typ string
	in, out   []byte
}

func lenientFiles(t testing.TB) []lenientFile {
	paths, err := filepath.Glob("testdata/lenient/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, paths)
	var list []lenientFile
	for _, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		require.Len(t, lines, 4, path)
		require.Regexp(t, `^# .+; .+`, lines[0], path)
		list = append(list, lenientFile{filepath.Base(path), lines[1], unhex(t, lines[2]), unhex(t, lines[3])})
	}
	return list
}

func TestLenient(t *testing.T) {
	for _, f := range lenientFiles(t) {
		t.Run(f.name, func(t *testing.T) {
			c := codecOf(f.typ)
			_, again, err := c.recode(f.in)
			require.NoError(t, err)
			require.Equal(t, f.out, again)
			require.NotEqual(t, f.in, f.out, "nothing lenient about it")
			checkMalleability(t, c, f.in)
			checkMalleability(t, c, f.out)
		})
	}
}
