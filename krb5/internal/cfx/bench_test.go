package cfx

import (
	"testing"

	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

var benchNames = map[int]string{17: "aes128-sha1", 18: "aes256-sha1", 19: "aes128-sha2", 20: "aes256-sha2"}

var benchSizes = []struct {
	name string
	n    int
}{{"64B", 64}, {"1KiB", 1 << 10}, {"64KiB", 64 << 10}}

// benchmark runs f for every enctype, size and, if there are several, kind of
// protection. f returns the operation to measure.
func benchmark(b *testing.B, kinds map[string]*mech.WrapOptions, f func(from, to mech.Protector, msg []byte, o *mech.WrapOptions) func() error) {
	for _, id := range etypes {
		for _, kind := range []string{"conf", "integ", "mic"} {
			o, ok := kinds[kind]
			if !ok {
				continue
			}
			name := benchNames[int(id)] + "/"
			if kind != "mic" {
				name += kind + "/"
			}
			for _, size := range benchSizes {
				b.Run(name+size.name, func(b *testing.B) {
					from, to := setup{id: id, subkey: true}.pair(b)
					op := f(from, to, message(size.n), o)
					b.SetBytes(int64(size.n))
					b.ReportAllocs()
					for b.Loop() {
						if err := op(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

var (
	wrapKinds = map[string]*mech.WrapOptions{"conf": sealed, "integ": integOnly}
	micKind   = map[string]*mech.WrapOptions{"mic": nil}
)

func BenchmarkWrap(b *testing.B) {
	benchmark(b, wrapKinds, func(from, _ mech.Protector, msg []byte, o *mech.WrapOptions) func() error {
		buf := make([]byte, 0, len(msg)+100)
		return func() error {
			_, err := from.Wrap(buf, msg, o)
			return err
		}
	})
}

func BenchmarkUnwrap(b *testing.B) {
	benchmark(b, wrapKinds, func(from, to mech.Protector, msg []byte, o *mech.WrapOptions) func() error {
		token, err := from.Wrap(nil, msg, o)
		buf := make([]byte, 0, len(token))
		return func() error {
			if err != nil {
				return err
			}
			_, _, err := to.Unwrap(buf, token)
			return err
		}
	})
}

func BenchmarkMIC(b *testing.B) {
	for name, verify := range map[string]bool{"get": false, "verify": true} {
		b.Run(name, func(b *testing.B) {
			benchmark(b, micKind, func(from, to mech.Protector, msg []byte, _ *mech.WrapOptions) func() error {
				mic, err := from.GetMIC(nil, msg, 0)
				buf := make([]byte, 0, len(mic))
				return func() error {
					if err != nil {
						return err
					}
					if verify {
						_, err := to.VerifyMIC(msg, mic)
						return err
					}
					_, err := from.GetMIC(buf, msg, 0)
					return err
				}
			})
		})
	}
}

// BenchmarkNew is what a context costs that protects one message.
func BenchmarkNew(b *testing.B) {
	for _, id := range etypes {
		b.Run(benchNames[int(id)], func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c := setup{id: id}.side(b, true)
				if _, err := c.Wrap(nil, nil, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkIOV is a message in place: header, data, padding and trailer.
func BenchmarkIOV(b *testing.B) {
	for name, unwrap := range map[string]bool{"wrap": false, "both": true} {
		b.Run(name, func(b *testing.B) {
			benchmark(b, wrapKinds, func(from, to mech.Protector, msg []byte, o *mech.WrapOptions) func() error {
				pieces := iov.Message(msg)
				i, a := from.(mech.IOVProtector), to.(mech.IOVProtector)
				return func() error {
					err := i.WrapIOV(pieces, o)
					if err == nil && unwrap {
						_, err = a.UnwrapIOV(pieces)
					}
					return err
				}
			})
		})
	}
}
