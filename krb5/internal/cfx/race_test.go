package cfx

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// TestConcurrent sends and receives on both sides at once, several goroutines
// each, and counts that every number was used once.
func TestConcurrent(t *testing.T) {
	i, a := setup{id: aes128, subkey: true}.pair(t)
	const workers, rounds = 3, 60
	var wg sync.WaitGroup
	fails := make(chan error, 2*workers)
	var mu sync.Mutex
	seen := map[string]bool{}
	for _, dir := range []struct{ from, to *Context }{{i, a}, {a, i}} {
		for w := range workers {
			wg.Go(func() {
				for n := range rounds {
					if err := exchange(dir.from, dir.to, w, n, func(token []byte) {
						mu.Lock()
						defer mu.Unlock()
						seen[string(token[:3])+string(token[8:16])] = true
					}); err != nil {
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
	require.Len(t, seen, 2*workers*rounds*2)
}

// exchange sends one message and one MIC.
func exchange(from, to *Context, w, n int, sent func([]byte)) error {
	msg := message(100*w + n)
	var o *mech.WrapOptions
	if n%2 == 0 {
		o = integOnly
	}
	token, err := from.Wrap(nil, msg, o)
	if err != nil {
		return err
	}
	sent(token)
	if n%3 == 0 {
		token = rotateToken(token, n)
	}
	got, _, err := to.Unwrap(nil, token)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, msg) {
		return fmt.Errorf("got %x, want %x", got, msg)
	}
	mic, err := from.GetMIC(nil, msg, 0)
	if err != nil {
		return err
	}
	sent(mic)
	_, err = to.VerifyMIC(msg, mic)
	return err
}

// TestConcurrentClose closes contexts that are in use: a call works or fails
// with ErrNoContext.
func TestConcurrentClose(t *testing.T) {
	for range 20 {
		i, a := setup{id: aes256}.pair(t)
		var wg sync.WaitGroup
		fails := make(chan error, 4)
		for _, dir := range []struct{ from, to *Context }{{i, a}, {a, i}} {
			wg.Go(func() {
				for n := range 100 {
					if err := exchange(dir.from, dir.to, 0, n, func([]byte) {}); err != nil {
						fails <- err
						return
					}
				}
			})
		}
		wg.Go(i.Close)
		wg.Wait()
		close(fails)
		for err := range fails {
			require.True(t, errors.Is(err, gsserr.ErrNoContext), "%v", err)
		}
	}
}

// TestPrintsNoSecret prints a context in every way that fmt has.
func TestPrintsNoSecret(t *testing.T) {
	id := aes256
	i, a := setup{id: id, subkey: true}.pair(t)
	require.NoError(t, exchange(i, a, 1, 3, func([]byte) {}))
	p := Params{Key: testKey(t, id, 1), AcceptorSubkey: testKey(t, id, 99)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d", "%q"} {
		for _, v := range []any{i, a, p, &p} {
			text := fmt.Sprintf(verb, v)
			for _, seed := range []byte{1, 99} {
				key := testKeyBytes(id, seed)
				for _, v := range []any{key, string(key)} {
					for _, verb := range []string{"%v", "%x", "%#v", "%s", "%q"} {
						// The first bytes do, without the brackets.
						part := fmt.Sprintf(verb, v)
						require.NotContains(t, text, part[min(len(part)/4, 10):len(part)/2])
					}
				}
			}
		}
	}
}
