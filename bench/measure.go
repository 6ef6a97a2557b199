package main

import (
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/iov"
)

// results are nanoseconds per operation, by the operation's name.
type results map[string]float64

// clock returns the processor time that this process has used, as the C
// program's does.
func clock() (time.Duration, error) {
	var t unix.Timespec
	err := unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t)
	return time.Duration(t.Nano()), err
}

// stopwatch adds up the time between its laps, in one of several counters.
type stopwatch struct {
	last time.Duration
	sums [2]time.Duration
	err  error
}

func (w *stopwatch) start() {
	var err error
	if w.last, err = clock(); err != nil {
		w.err = err
	}
}

func (w *stopwatch) lap(counter int) {
	before := w.last
	w.start()
	w.sums[counter] += w.last - before
}

// measure runs f, which does n operations of two kinds and laps after each,
// until both together took twice perOp. The first run only warms up.
func measure(perOp time.Duration, n int, f func(w *stopwatch) error) (first, second float64, err error) {
	var w stopwatch
	if err := f(&w); err != nil {
		return 0, 0, err
	}
	runtime.GC()
	w = stopwatch{}
	total := 0
	for total == 0 || w.sums[0]+w.sums[1] < 2*perOp {
		w.start()
		if err := f(&w); err != nil {
			return 0, 0, err
		}
		if w.err != nil {
			return 0, 0, w.err
		}
		total += n
	}
	return float64(w.sums[0]) / float64(total), float64(w.sums[1]) / float64(total), nil
}

// all measures everything the C program does.
func (p *parties) all(perOp time.Duration) (results, error) {
	r := make(results)
	for name, omit := range map[string]gssapi.Flags{"mutual": 0, "oneway": gssapi.FlagMutual} {
		var err error
		if r["initiate/"+name], r["accept/"+name], err = p.contexts(perOp, omit); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	s, err := p.establish()
	if err != nil {
		return nil, err
	}
	defer s.close()
	for _, o := range operations {
		for _, size := range sizes {
			protect, check := fmt.Sprintf("%s/%d", o.make, size), fmt.Sprintf("%s/%d", o.take, size)
			if r[protect], r[check], err = s.messages(perOp, &o, size); err != nil {
				return nil, fmt.Errorf("%s: %w", protect, err)
			}
		}
	}
	for _, size := range sizes {
		wrap, unwrap := fmt.Sprintf("wrap-iov/%d", size), fmt.Sprintf("unwrap-iov/%d", size)
		if r[wrap], r[unwrap], err = s.pieces(perOp, size); err != nil {
			return nil, fmt.Errorf("%s: %w", wrap, err)
		}
	}
	return r, nil
}

func (p *parties) contexts(perOp time.Duration, omit gssapi.Flags) (initiate, accept float64, err error) {
	sides := make([]side, batch)
	return measure(perOp, batch, func(w *stopwatch) error {
		for i := range sides {
			if err := p.init1(&sides[i], omit); err != nil {
				return err
			}
		}
		w.lap(0)
		for i := range sides {
			if err := p.accept(&sides[i]); err != nil {
				return err
			}
		}
		w.lap(1)
		for i := range sides {
			if err := p.init2(&sides[i]); err != nil {
				return err
			}
			if err := sides[i].i.Close(); err != nil {
				return err
			}
		}
		w.lap(0)
		for i := range sides {
			if err := sides[i].a.Close(); err != nil {
				return err
			}
		}
		w.lap(1)
		return nil
	})
}

func (s *side) messages(perOp time.Duration, o *operation, size int) (protect, check float64, err error) {
	msg := make([]byte, size)
	tokens := make([][]byte, batchOf(size))
	var plain []byte
	return measure(perOp, len(tokens), func(w *stopwatch) (err error) {
		for i := range tokens {
			if tokens[i], err = o.protect(s, tokens[i][:0], msg); err != nil {
				return err
			}
		}
		w.lap(0)
		for _, token := range tokens {
			if plain, err = o.check(s, plain[:0], msg, token); err != nil {
				return err
			}
		}
		w.lap(1)
		return nil
	})
}

// pieces measures messages in place: header, data, padding and trailer, with the
// lengths asked for once and the memory used again.
func (s *side) pieces(perOp time.Duration, size int) (wrap, unwrap float64, err error) {
	messages := make([][]iov.Buffer, batchOf(size))
	for i := range messages {
		messages[i] = iov.Message(make([]byte, size))
		if err := s.i.WrapIOVLength(messages[i], nil); err != nil {
			return 0, 0, err
		}
	}
	return measure(perOp, len(messages), func(w *stopwatch) error {
		for _, b := range messages {
			if err := s.i.WrapIOV(b, nil); err != nil {
				return err
			}
		}
		w.lap(0)
		for _, b := range messages {
			if _, err := s.a.UnwrapIOV(b); err != nil {
				return err
			}
		}
		w.lap(1)
		return nil
	})
}
