package v1

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/mech"
)

// No call allocates when dst has room, through the interface by which programs
// reach the context.
func TestAllocs(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		for _, size := range []int{0, 1, 64, 1000, 20000} {
			// Without a window tokens can be used again.
			i, a := setup{id: id}.pair(t)
			var from, to mech.Protector = i, a
			msg := message(size)
			tokenBuf, msgBuf := make([]byte, 0, size+100), make([]byte, 0, size+100)
			var err error
			demand := func(name string, f func()) {
				t.Helper()
				f() // makes the keys
				f() // and lets the hashes save their state
				require.Zero(t, testing.AllocsPerRun(20, f), "%s %d", name, size)
				require.NoError(t, err, name)
			}
			for _, o := range []*mech.WrapOptions{sealed, integOnly, {}} {
				demand("Wrap", func() { _, err = from.Wrap(tokenBuf, msg, o) })
				token, err2 := from.Wrap(nil, msg, o)
				require.NoError(t, err2)
				demand("Unwrap", func() { _, _, err = to.Unwrap(msgBuf, token) })
				exact := make([]byte, 0, len(token))
				demand("Wrap into as much as it takes", func() { _, err = from.Wrap(exact, msg, o) })
				demand("Unwrap into the token's length", func() { _, _, err = to.Unwrap(exact, token) })
				demand("WrapSizeLimit", func() { _, err = from.WrapSizeLimit(1000, o) })
			}
			demand("GetMIC", func() { _, err = from.GetMIC(tokenBuf, msg, 0) })
			mic, err2 := from.GetMIC(nil, msg, 0)
			require.NoError(t, err2)
			demand("VerifyMIC", func() { _, err = to.VerifyMIC(msg, mic) })
		}
	})
}

// Both sides send and receive at once, several goroutines each.
func TestConcurrent(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id}.pair(t)
		var wg sync.WaitGroup
		fails := make(chan error, 100)
		for _, dir := range [][2]*Context{{i, a}, {a, i}} {
			for w := range 3 {
				wg.Go(func() {
					for n := range 40 {
						msg := message(50*w + n)
						var o *mech.WrapOptions
						if n%2 == 0 {
							o = integOnly
						}
						token, err := dir[0].Wrap(nil, msg, o)
						if err == nil {
							var got []byte
							if got, _, err = dir[1].Unwrap(nil, token); err == nil && !bytes.Equal(got, msg) {
								err = errors.New("another message")
							}
						}
						if err == nil {
							if token, err = dir[0].GetMIC(nil, msg, 0); err == nil {
								_, err = dir[1].VerifyMIC(msg, token)
							}
						}
						if err != nil {
							fails <- err
							return
						}
					}
				})
			}
		}
		wg.Wait()
		close(fails)
		for err := range fails {
			require.NoError(t, err)
		}
		p, _ := i.State()
		require.EqualValues(t, seqInitiator+3*40*2, p.SendSeq, "each number was used once")
	})
}

// Close in the midst of calls.
func TestConcurrentClose(t *testing.T) {
	each(t, func(t *testing.T, id etype.ID) {
		i, a := setup{id: id}.pair(t)
		token, err := i.Wrap(nil, message(10), nil)
		require.NoError(t, err)
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					if _, _, err := a.Unwrap(nil, token); err != nil {
						return
					}
					if _, err := a.Wrap(nil, token, nil); err != nil {
						return
					}
				}
			})
		}
		a.Close()
		wg.Wait()
	})
}

func BenchmarkTokens(b *testing.B) {
	for _, id := range etypes {
		for _, size := range []int{64, 1024, 65536} {
			i, a := setup{id: id}.pair(b)
			msg, buf, out := message(size), make([]byte, 0, size+100), make([]byte, 0, size+100)
			token, err := i.Wrap(nil, msg, nil)
			require.NoError(b, err)
			for name, f := range map[string]func(){
				"wrap":   func() { _, _ = i.Wrap(buf, msg, nil) },
				"unwrap": func() { _, _, _ = a.Unwrap(out, token) },
				"mic":    func() { _, _ = i.GetMIC(buf, msg, 0) },
			} {
				b.Run(fmt.Sprintf("%s/%v/%d", name, id, size), func(b *testing.B) {
					b.SetBytes(int64(size))
					b.ReportAllocs()
					for b.Loop() {
						f()
					}
				})
			}
		}
	}
}
