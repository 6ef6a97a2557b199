package mechtest

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/mech"
)

// protectors returns both sides of an established context that protects
// messages.
func (h *Harness) protectors(t *testing.T, flags mech.Flags) (i, a mech.Protector) {
	t.Helper()
	ic, ac := h.pair(t, flags)
	i, ok1 := ic.(mech.Protector)
	a, ok2 := ac.(mech.Protector)
	if !ok1 || !ok2 {
		t.Fatal("only one side protects messages")
	}
	return i, a
}

// kinds are the ways to wrap a message.
var kinds = []struct {
	name string
	o    *mech.WrapOptions
	conf bool
}{
	{"conf", nil, true},
	{"conf by options", &mech.WrapOptions{}, true},
	{"integ", &mech.WrapOptions{IntegrityOnly: true}, false},
}

var lengths = []int{0, 1, 15, 16, 17, 4095, 65536}

func message(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8)
	}
	return b
}

func (h *Harness) messages(t *testing.T) {
	for _, flags := range h.Handshakes {
		t.Run(fmt.Sprint(flags), func(t *testing.T) {
			i, a := h.protectors(t, flags)
			conf := i.(mech.Context).Info().Flags.Has(mech.FlagConf)
			t.Run("to acceptor", func(t *testing.T) { roundTrips(t, i, a, conf) })
			t.Run("to initiator", func(t *testing.T) { roundTrips(t, a, i, conf) })
		})
	}
	t.Run("tampered", func(t *testing.T) {
		i, a := h.protectors(t, protected)
		tamper(t, i, a)
		tamper(t, a, i)
	})
	t.Run("confused", h.confused)
	t.Run("sequence", h.sequence)
	t.Run("size limit", h.sizeLimit)
	t.Run("quality", h.quality)
	t.Run("overlap", h.overlap)
	t.Run("concurrent", h.concurrent)
	t.Run("allocations", h.allocations)
}

// roundTrips sends messages of many lengths from p to q.
func roundTrips(t *testing.T, p, q mech.Protector, conf bool) {
	prefix := []byte("before")
	for _, n := range lengths {
		msg := message(n)
		for _, k := range kinds {
			token, err := p.Wrap(slices.Clone(prefix), msg, k.o)
			if k.conf && !conf && err != nil {
				want(t, "Wrap without confidentiality", err, gsserr.ErrUnavailable)
				continue
			}
			must(t, k.name+": Wrap", err)
			token, ok := bytes.CutPrefix(token, prefix)
			if !ok {
				t.Fatalf("%s: Wrap changed what was in dst", k.name)
			}
			if k.conf && n > 15 && bytes.Contains(token, msg[:16]) {
				t.Errorf("%s: the token of %d bytes shows the message", k.name, n)
			}
			kept := slices.Clone(token)
			out, info, err := q.Unwrap(slices.Clone(prefix), token)
			must(t, k.name+": Unwrap", err)
			if !bytes.Equal(token, kept) {
				t.Errorf("%s: Unwrap changed the token", k.name)
			}
			if out, ok = bytes.CutPrefix(out, prefix); !ok || !bytes.Equal(out, msg) {
				t.Fatalf("%s: Unwrap of %d bytes = %d other bytes", k.name, n, len(out))
			}
			if info.Encrypted != k.conf || info.QOP != 0 {
				t.Errorf("%s: Unwrap says %+v", k.name, info)
			}
		}
		mic, err := p.GetMIC(slices.Clone(prefix), msg, 0)
		must(t, "GetMIC", err)
		mic, ok := bytes.CutPrefix(mic, prefix)
		if !ok {
			t.Fatal("GetMIC changed what was in dst")
		}
		q, err := q.VerifyMIC(msg, mic)
		must(t, "VerifyMIC", err)
		if q != 0 {
			t.Errorf("VerifyMIC says quality %d", q)
		}
	}
}

// tamper flips every bit of tokens from p to q, and cuts and extends them.
func tamper(t *testing.T, p, q mech.Protector) {
	msg := message(61)
	for _, k := range kinds {
		token, err := p.Wrap(nil, msg, k.o)
		must(t, "Wrap", err)
		refuse := func(what string, b []byte) {
			t.Helper()
			room := bytes.Repeat([]byte{0xa5}, len(token)+64)
			out, info, err := q.Unwrap(room[:3], b)
			if err == nil {
				t.Errorf("%s: %s is accepted", k.name, what)
				return
			}
			checkError(t, err)
			if gsserr.Informational(err) || len(out) > 3 || info != (mech.MessageInfo{}) {
				t.Errorf("%s: %s: Unwrap = %d bytes, %+v, %v; want none and a fatal error", k.name, what, len(out), info, err)
			}
			for i, c := range room {
				if c != 0xa5 && (c != 0 || i < 3) {
					t.Errorf("%s: %s: Unwrap left byte %#x at %d", k.name, what, c, i)
					break
				}
			}
		}
		for i := range token {
			b := slices.Clone(token)
			b[i] ^= 1 << (i % 8)
			refuse(fmt.Sprint("a flip in byte ", i), b)
		}
		for n := range token {
			refuse(fmt.Sprintf("the first %d of %d bytes", n, len(token)), token[:n])
		}
		refuse("a longer token", append(slices.Clone(token), 0))
		if out, _, err := q.Unwrap(nil, token); err != nil || !bytes.Equal(out, msg) {
			t.Errorf("%s: after forged tokens the genuine one gives %v", k.name, err)
		}
	}

	mic, err := p.GetMIC(nil, msg, 0)
	must(t, "GetMIC", err)
	refuse := func(what string, msg, mic []byte) {
		t.Helper()
		_, err := q.VerifyMIC(msg, mic)
		if accepted(err) {
			t.Errorf("MIC: %s: VerifyMIC = %v", what, err)
		}
		checkError(t, err)
	}
	for i := range mic {
		b := slices.Clone(mic)
		b[i] ^= 1 << (i % 8)
		refuse(fmt.Sprint("a flip in byte ", i), msg, b)
		refuse(fmt.Sprintf("the first %d of %d bytes", i, len(mic)), msg, mic[:i])
	}
	refuse("a longer token", msg, append(slices.Clone(mic), 0))
	for i := range msg {
		b := slices.Clone(msg)
		b[i] ^= 1 << (i % 8)
		refuse(fmt.Sprint("another message at ", i), b, mic)
	}
	refuse("a shorter message", msg[1:], mic)
	refuse("a longer message", append(slices.Clone(msg), 0), mic)
	_, err = q.VerifyMIC(msg, mic)
	must(t, "VerifyMIC after forged tokens", err)
}

// confused gives tokens to the wrong side, context and call.
func (h *Harness) confused(t *testing.T) {
	i, a := h.protectors(t, protected)
	other, _ := h.protectors(t, protected)
	msg := message(40)
	for _, k := range kinds {
		token, err := i.Wrap(nil, msg, k.o)
		must(t, "Wrap", err)
		if out, _, err := i.Unwrap(nil, token); accepted(err) || len(out) > 0 {
			t.Errorf("%s: a token is accepted by who made it", k.name)
		}
		strange, err := other.Wrap(nil, msg, k.o)
		must(t, "Wrap", err)
		if out, _, err := a.Unwrap(nil, strange); accepted(err) || len(out) > 0 {
			t.Errorf("%s: a token of another context is accepted", k.name)
		}
		if _, err := a.VerifyMIC(msg, token); accepted(err) {
			t.Errorf("%s: a wrapped message is taken for a MIC", k.name)
		}
	}
	for _, msg := range [][]byte{msg, nil} { // an empty message leaves only the header to tell
		mic, err := i.GetMIC(nil, msg, 0)
		must(t, "GetMIC", err)
		if _, err := i.VerifyMIC(msg, mic); accepted(err) {
			t.Error("a MIC is accepted by who made it")
		}
		if out, _, err := a.Unwrap(nil, mic); accepted(err) || len(out) > 0 {
			t.Error("a MIC is taken for a wrapped message")
		}
		token, err := i.Wrap(nil, msg, &mech.WrapOptions{IntegrityOnly: true})
		must(t, "Wrap", err)
		if _, err := a.VerifyMIC(msg, token); accepted(err) {
			t.Error("a wrapped message is taken for a MIC")
		}
	}
	for _, b := range [][]byte{nil, {}, {0}, {0x60, 0x80}, make([]byte, 16), make([]byte, 100), bytes.Repeat([]byte{0xff}, 100)} {
		if out, _, err := a.Unwrap(nil, b); accepted(err) || len(out) > 0 {
			t.Errorf("Unwrap(%x) = %x, %v", b, out, err)
		}
		if _, err := a.VerifyMIC(nil, b); accepted(err) {
			t.Errorf("VerifyMIC(%x) is accepted", b)
		}
	}
}

// accepted reports whether a message passed for the peer's, in whatever order.
func accepted(err error) bool { return err == nil || gsserr.Informational(err) }

// sequence checks what is said about messages in another order (RFC 2743
// §1.2.3), and that they come with it.
func (h *Harness) sequence(t *testing.T) {
	const dup, old, gap, unseq = gsserr.ErrDuplicateToken, gsserr.ErrOldToken, gsserr.ErrGapToken, gsserr.ErrUnseqToken
	type step struct {
		n    int
		want gsserr.Major
	}
	const none = protected &^ (mech.FlagReplay | mech.FlagSequence)
	for _, tt := range []struct {
		name  string
		flags mech.Flags
		steps []step
	}{
		{"both", protected, []step{{0, 0}, {0, dup}, {2, gap}, {1, unseq}, {1, dup}, {3, 0}, {99, gap}, {4, unseq}, {98, unseq}, {98, dup}}},
		{"replay", none | mech.FlagReplay, []step{{0, 0}, {0, dup}, {2, 0}, {1, 0}, {1, dup}, {99, 0}, {4, old}, {98, 0}, {98, dup}}},
		{"sequence", none | mech.FlagSequence, []step{{0, 0}, {2, gap}, {1, unseq}, {3, 0}, {99, gap}, {4, unseq}}},
		{"neither", none, []step{{0, 0}, {0, 0}, {2, 0}, {1, 0}, {99, 0}, {4, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			i, a := h.protectors(t, tt.flags)
			const both = mech.FlagReplay | mech.FlagSequence
			if got := i.(mech.Context).Info().Flags & both; got != tt.flags&both {
				t.Skipf("the mechanism makes %v of it", got)
			}
			tokens := make([][]byte, 100)
			for n := range tokens {
				var err error
				if n%3 == 0 {
					tokens[n], err = i.GetMIC(nil, message(n), 0)
				} else {
					tokens[n], err = i.Wrap(nil, message(n), nil)
				}
				must(t, "token", err)
			}
			for at, s := range tt.steps {
				var err error
				if s.n%3 == 0 {
					_, err = a.VerifyMIC(message(s.n), tokens[s.n])
				} else {
					var out []byte
					out, _, err = a.Unwrap(nil, tokens[s.n])
					if !bytes.Equal(out, message(s.n)) {
						t.Errorf("step %d, token %d: the message did not come", at, s.n)
					}
				}
				switch {
				case s.want == 0:
					if err != nil {
						t.Errorf("step %d, token %d: %v", at, s.n, err)
					}
				case gsserr.MajorOf(err) != s.want || !gsserr.Informational(err):
					t.Errorf("step %d, token %d: %v, want %v", at, s.n, err, s.want)
				}
			}
		})
	}
}

// sizeLimit checks that a message of the limit fits, and that no much longer one
// does.
func (h *Harness) sizeLimit(t *testing.T) {
	i, _ := h.protectors(t, protected)
	const slack = 256 // headers, confounder, padding and checksum together
	for _, k := range kinds {
		for _, size := range []int{0, 1, 16, 60, 61, 64, 100, 127, 128, 129, 256, 1000, 4096, 65536} {
			n, err := i.WrapSizeLimit(size, k.o)
			must(t, "WrapSizeLimit", err)
			if n < 0 || n > size || n < size-slack {
				t.Errorf("%s: WrapSizeLimit(%d) = %d", k.name, size, n)
				continue
			}
			if n == 0 {
				continue
			}
			token, err := i.Wrap(nil, make([]byte, n), k.o)
			must(t, "Wrap", err)
			if len(token) > size {
				t.Errorf("%s: WrapSizeLimit(%d) = %d, but that makes %d bytes", k.name, size, n, len(token))
			}
		}
	}
}

// quality checks that a quality of protection nobody offers is refused.
func (h *Harness) quality(t *testing.T) {
	i, _ := h.protectors(t, protected)
	const q = 1 << 20
	_, err := i.Wrap(nil, nil, &mech.WrapOptions{QOP: q})
	want(t, "Wrap", err, gsserr.ErrBadQOP)
	_, err = i.GetMIC(nil, nil, q)
	want(t, "GetMIC", err, gsserr.ErrBadQOP)
	_, err = i.WrapSizeLimit(100, &mech.WrapOptions{QOP: q})
	want(t, "WrapSizeLimit", err, gsserr.ErrBadQOP)
}

// overlap checks that output on top of the input is refused rather than wrong.
func (h *Harness) overlap(t *testing.T) {
	i, a := h.protectors(t, protected)
	for _, k := range kinds {
		buf := make([]byte, 4096)
		msg := buf[100:300]
		_, err := i.Wrap(buf[:0], msg, k.o)
		want(t, k.name+": Wrap", err, gsserr.ErrFailure)
		token, err := i.Wrap(nil, msg, k.o)
		must(t, "Wrap", err)
		in := buf[:copy(buf, token)]
		_, _, err = a.Unwrap(buf[:0], in)
		want(t, k.name+": Unwrap", err, gsserr.ErrFailure)
		out, _, err := a.Unwrap(buf[len(in):len(in)], in) // behind it is allowed
		must(t, "Unwrap behind the token", err)
		if len(out) != len(msg) {
			t.Errorf("%s: %d bytes, want %d", k.name, len(out), len(msg))
		}
	}
}

// concurrent protects messages in both directions at once, and then closes the
// contexts under them.
func (h *Harness) concurrent(t *testing.T) {
	i, a := h.protectors(t, protected)
	const workers, rounds = 4, 25
	var wg, stop sync.WaitGroup
	closing := make(chan struct{})
	for w := range workers {
		p, q := i, a
		if w%2 == 1 {
			p, q = a, i
		}
		msg := message(100 + w)
		send := func() error {
			token, err := p.Wrap(nil, msg, nil)
			if err != nil {
				return err
			}
			out, _, err := q.Unwrap(nil, token)
			if err != nil && !gsserr.Informational(err) {
				return err
			}
			if !bytes.Equal(out, msg) {
				return fmt.Errorf("%d other bytes", len(out))
			}
			mic, err := p.GetMIC(nil, msg, 0)
			if err != nil {
				return err
			}
			if _, err = q.VerifyMIC(msg, mic); err != nil && !gsserr.Informational(err) {
				return err
			}
			return nil
		}
		wg.Go(func() {
			for range rounds {
				if err := send(); err != nil {
					t.Errorf("worker %d: %v", w, err)
				}
				_ = p.(mech.Context).Info()
			}
		})
		stop.Go(func() { // these meet Close and may fail in any way but a panic
			wg.Wait()
			<-closing
			for send() == nil {
			}
		})
	}
	wg.Wait()
	close(closing)
	for _, p := range []mech.Protector{i, a} {
		must(t, "Close", p.(mech.Context).Close())
	}
	stop.Wait()
}

// allocations checks that with room in dst nothing is allocated.
func (h *Harness) allocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	i, a := h.protectors(t, protected)
	const rounds = 50
	msg := message(1024)
	dst := make([]byte, 0, 4096)
	zero := func(name string, f func()) {
		t.Helper()
		if n := testing.AllocsPerRun(rounds, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
	for _, k := range kinds {
		tokens := make([][]byte, rounds+1) // one run is not counted
		for n := range tokens {
			token, err := i.Wrap(nil, msg, k.o)
			must(t, "Wrap", err)
			tokens[n] = token
		}
		n := 0
		zero(k.name+": Unwrap", func() {
			if _, _, err := a.Unwrap(dst, tokens[n]); err != nil {
				t.Error(err)
			}
			n++
		})
	}
	mics := make([][]byte, rounds+1)
	for n := range mics {
		mic, err := i.GetMIC(nil, msg, 0)
		must(t, "GetMIC", err)
		mics[n] = mic
	}
	n := 0
	zero("VerifyMIC", func() {
		if _, err := a.VerifyMIC(msg, mics[n]); err != nil {
			t.Error(err)
		}
		n++
	})
	for _, k := range kinds {
		zero(k.name+": Wrap", func() { _, _ = i.Wrap(dst, msg, k.o) })
	}
	zero("GetMIC", func() { _, _ = i.GetMIC(dst, msg, 0) })
}
