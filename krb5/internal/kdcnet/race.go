package kdcnet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// race calls try for 0 to n-1, each in its own goroutine: the next one when one
// has failed, or when delay has passed since the last was started. It returns
// the first success and its number, and otherwise every error. All calls have
// returned when race does: their contexts end before.
func race(ctx context.Context, delay time.Duration, n int, try func(ctx context.Context, i int) ([]byte, error)) (reply []byte, winner int, errs []error) {
	type result struct {
		i     int
		reply []byte
		err   error
	}
	results := make(chan result, n) // room for all: nobody blocks after the end
	var calls sync.WaitGroup
	defer calls.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	started, running := 0, 0
	timer := time.NewTimer(delay)
	defer timer.Stop()
	start := func() {
		if started == n || ctx.Err() != nil {
			return
		}
		i := started
		started++
		running++
		calls.Go(func() {
			reply, err := try(ctx, i)
			results <- result{i, reply, err}
		})
		timer.Reset(delay)
	}
	start()
	for running > 0 {
		select {
		case r := <-results:
			running--
			if r.err == nil {
				return r.reply, r.i, nil
			}
			errs = append(errs, r.err)
			start()
		case <-timer.C:
			start()
		}
	}
	if err := context.Cause(ctx); err != nil && len(errs) == 0 {
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		errs = append(errs, errNothingToAsk)
	}
	return nil, 0, errs
}

// several is more than one error, on one line.
type several []error

func (s several) Error() string {
	var b strings.Builder
	for i, err := range s {
		if i > 0 {
			b.WriteString("; ")
		}
		b.WriteString(err.Error())
	}
	return b.String()
}

func (s several) Unwrap() []error { return s }

// unreachable says why no server of a realm answered.
func unreachable(code krberr.Code, realm string, errs ...error) error {
	return fmt.Errorf("%w: realm %q: %w", code, clip(realm), several(errs))
}

var errNothingToAsk = errors.New("it has no server")
