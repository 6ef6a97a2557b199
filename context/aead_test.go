package secctx_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	secctx "github.com/gss-go/gssapi/context"
	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/iov"
	"github.com/gss-go/gssapi/mech"
)

// aeadScript protects messages with a letter in front, two bytes of padding and
// a sum behind, and inverts what it encrypts.
type aeadScript struct {
	iovScript
	mu    sync.Mutex
	after error // a status that comes with a message
}

func (s *aeadScript) WrapIOVLength(b []iov.Buffer, _ *mech.WrapOptions) error {
	for i, n := range []int{0: 1, 3: 2, 4: 1} {
		if n > 0 && cap(b[i].Bytes) < n {
			b[i].Bytes = make([]byte, n)
		} else if n > 0 {
			b[i].Bytes = b[i].Bytes[:n]
		}
	}
	return s.fail
}

func (s *aeadScript) WrapIOV(b []iov.Buffer, o *mech.WrapOptions) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.after != nil {
		return s.after
	}
	b[0].Bytes[0] = 'I'
	if o == nil || !o.IntegrityOnly {
		b[0].Bytes[0] = 'E'
		invert(b[2].Bytes)
	}
	copy(b[3].Bytes, "..")
	b[4].Bytes[0] = total(b[1].Bytes, b[2].Bytes)
	return nil
}

func (s *aeadScript) UnwrapIOV(b []iov.Buffer) (mech.MessageInfo, error) {
	t := b[0].Bytes
	if len(t) < 4 {
		return mech.MessageInfo{}, gsserr.ErrDefectiveToken
	}
	b[2].Bytes = append(b[2].Bytes[:0], t[1:len(t)-3]...) // there is always Alloc
	if total(b[1].Bytes, b[2].Bytes) != t[len(t)-1] {
		clear(b[2].Bytes)
		return mech.MessageInfo{}, gsserr.ErrBadMIC
	}
	if t[0] == 'E' {
		invert(b[2].Bytes)
	}
	return mech.MessageInfo{Encrypted: t[0] == 'E'}, s.after
}

func invert(b []byte) {
	for i := range b {
		b[i] = ^b[i]
	}
}

func total(parts ...[]byte) (sum byte) {
	for _, p := range parts {
		for _, c := range p {
			sum = 31*sum + c
		}
	}
	return sum
}

func TestAEAD(t *testing.T) {
	s := &aeadScript{iovScript: iovScript{script: script{info: good()}}}
	c := open(t, s)
	msg, ad := []byte("message"), []byte("associated")
	for _, o := range []*mech.WrapOptions{nil, {IntegrityOnly: true}} {
		token, err := c.WrapAEAD([]byte("before"), msg, ad, o)
		require.NoError(t, err)
		token, ok := bytes.CutPrefix(token, []byte("before"))
		require.True(t, ok)
		require.Len(t, token, len(msg)+4)
		require.Equal(t, o != nil, bytes.Contains(token, msg))
		require.Equal(t, "message", string(msg))

		kept := bytes.Clone(token)
		room := make([]byte, 3, 64)
		got, info, err := c.UnwrapAEAD(room, token, ad)
		require.NoError(t, err)
		require.Equal(t, "message", string(got[3:]))
		require.Same(t, &room[0], &got[0])
		require.Equal(t, o == nil, info.Encrypted)
		require.Equal(t, kept, token, "the token stays as it was")
		require.Equal(t, make([]byte, 64-10), got[10:64], "nothing else is left behind")

		for _, bad := range []struct{ token, ad []byte }{{token, nil}, {token, ad[1:]}, {append(kept, 0), ad}, {token[:3], ad}, {nil, ad}} {
			room := make([]byte, 3, 64)
			got, info, err := c.UnwrapAEAD(room, bad.token, bad.ad)
			require.Error(t, err)
			require.False(t, gsserr.Informational(err))
			require.Zero(t, info)
			require.Equal(t, make([]byte, 64), got[:64])
			require.Len(t, got, 3)
		}
		s.after = gsserr.ErrGapToken
		got, info, err = c.UnwrapAEAD(nil, token, ad)
		require.True(t, gsserr.Informational(err))
		require.Equal(t, "message", string(got))
		require.Equal(t, o == nil, info.Encrypted)
		s.after = nil
	}
}

func TestAEADErrors(t *testing.T) {
	s := &aeadScript{iovScript: iovScript{script: script{info: good()}}}
	c := open(t, s)
	buf := make([]byte, 100)
	for _, tt := range []struct{ dst, in []byte }{{buf[:0], buf[:10]}, {buf[:5], buf[4:9]}, {buf[:0], buf[99:]}} {
		_, err := c.WrapAEAD(tt.dst, tt.in, nil, nil)
		require.ErrorIs(t, err, gsserr.ErrFailure)
		_, err = c.WrapAEAD(tt.dst, nil, tt.in, nil)
		require.ErrorIs(t, err, gsserr.ErrFailure)
		_, _, err = c.UnwrapAEAD(tt.dst, tt.in, nil)
		require.ErrorIs(t, err, gsserr.ErrFailure)
		_, _, err = c.UnwrapAEAD(tt.dst, nil, tt.in)
		require.ErrorIs(t, err, gsserr.ErrFailure)
	}
	s.fail = gsserr.ErrBadQOP // of the length
	out, err := c.WrapAEAD([]byte("x"), nil, nil, nil)
	require.ErrorIs(t, err, gsserr.ErrBadQOP)
	require.Equal(t, "x", string(out))
	s.fail, s.after = nil, gsserr.ErrFailure // of the message itself
	room := make([]byte, 1, 20)
	out, err = c.WrapAEAD(room, []byte("message"), nil, nil)
	require.ErrorIs(t, err, gsserr.ErrFailure)
	require.Len(t, out, 1)
	require.Equal(t, make([]byte, 20), room[:20])

	plain := open(t, &script{info: good()})
	fresh, err := secctx.Init(service, &secctx.InitOptions{Registry: registry(t, fakeMech(s))})
	require.NoError(t, err)
	var none *secctx.SecContext
	for _, tt := range []struct {
		c    *secctx.SecContext
		want error
	}{{plain, gsserr.ErrUnavailable}, {fresh, gsserr.ErrNoContext}, {none, gsserr.ErrNoContext}} {
		_, err := tt.c.WrapAEAD(nil, nil, nil, nil)
		require.ErrorIs(t, err, tt.want)
		_, _, err = tt.c.UnwrapAEAD(nil, nil, nil)
		require.ErrorIs(t, err, tt.want)
	}
}

func TestAEADAllocs(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	c := open(t, &aeadScript{iovScript: iovScript{script: script{info: good()}}})
	msg, ad, dst, plain := make([]byte, 1000), make([]byte, 20), make([]byte, 0, 1100), make([]byte, 0, 1100)
	f := func() {
		token, err := c.WrapAEAD(dst, msg, ad, nil)
		if err == nil {
			_, _, err = c.UnwrapAEAD(plain, token, ad)
		}
		if err != nil {
			t.Error(err)
		}
	}
	f()
	require.Zero(t, testing.AllocsPerRun(20, f))
}

// One context takes any number of goroutines.
func TestAEADConcurrent(t *testing.T) {
	c := open(t, &aeadScript{iovScript: iovScript{script: script{info: good()}}})
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			msg, ad := bytes.Repeat([]byte{byte(w)}, 100*w), []byte{byte(w)}
			for range 200 {
				token, err := c.WrapAEAD(nil, msg, ad, nil)
				if err != nil {
					t.Error(err)
					return
				}
				got, _, err := c.UnwrapAEAD(nil, token, ad)
				if err != nil || !bytes.Equal(got, msg) {
					t.Errorf("%d other bytes, %v", len(got), err)
					return
				}
			}
		})
	}
	wg.Wait()
}
