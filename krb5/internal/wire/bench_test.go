package wire

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func benchParse[T any](b *testing.B, name string, parse func([]byte) (*T, error)) {
	in := codecOf(name).samples[0]
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parse(in); err != nil {
			b.Fatal(err)
		}
	}
}

func benchAppend(b *testing.B, name string) {
	c := codecOf(name)
	v := c.values[0].(interface{ Append([]byte) []byte })
	dst := make([]byte, 0, 2*len(c.samples[0]))
	b.SetBytes(int64(len(c.samples[0])))
	b.ReportAllocs()
	for b.Loop() {
		v.Append(dst)
	}
}

func BenchmarkParseAPReq(b *testing.B)         { benchParse(b, "APReq", ParseAPReq) }
func BenchmarkParseAuthenticator(b *testing.B) { benchParse(b, "Authenticator", ParseAuthenticator) }
func BenchmarkParseEncTicketPart(b *testing.B) { benchParse(b, "EncTicketPart", ParseEncTicketPart) }
func BenchmarkParseAPRep(b *testing.B)         { benchParse(b, "APRep", ParseAPRep) }
func BenchmarkParseEncAPRepPart(b *testing.B)  { benchParse(b, "EncAPRepPart", ParseEncAPRepPart) }
func BenchmarkParseKDCRep(b *testing.B)        { benchParse(b, "KDCRep", ParseKDCRep) }

func BenchmarkAppendAPReq(b *testing.B)         { benchAppend(b, "APReq") }
func BenchmarkAppendAuthenticator(b *testing.B) { benchAppend(b, "Authenticator") }
func BenchmarkAppendAPRep(b *testing.B)         { benchAppend(b, "APRep") }
func BenchmarkAppendEncAPRepPart(b *testing.B)  { benchAppend(b, "EncAPRepPart") }
func BenchmarkAppendKDCReq(b *testing.B)        { benchAppend(b, "KDCReq") }

// TestAllocs holds the number of allocations on the path of an AP exchange:
// none to write, and only the value and the strings of names to read.
func TestAllocs(t *testing.T) {
	for _, c := range codecs() {
		v, ok := c.values[0].(interface{ Append([]byte) []byte })
		if !ok {
			continue
		}
		dst := make([]byte, 0, 1<<13)
		require.Zero(t, testing.AllocsPerRun(20, func() { v.Append(dst) }), "%s.Append", c.name)
	}
	for name, want := range map[string]float64{
		"APReq": 4, "APRep": 1, "Authenticator": 7, "EncAPRepPart": 2, "EncTicketPart": 6,
	} {
		c := codecOf(name)
		parse := parsers[name]
		got := testing.AllocsPerRun(20, func() { parse(c.samples[0]) })
		require.LessOrEqual(t, got, want, "Parse%s", name)
	}
}

var parsers = map[string]func([]byte){
	"APReq":         func(b []byte) { _, _ = ParseAPReq(b) },
	"APRep":         func(b []byte) { _, _ = ParseAPRep(b) },
	"Authenticator": func(b []byte) { _, _ = ParseAuthenticator(b) },
	"EncAPRepPart":  func(b []byte) { _, _ = ParseEncAPRepPart(b) },
	"EncTicketPart": func(b []byte) { _, _ = ParseEncTicketPart(b) },
}
