package negotiate

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// defaultMaxBody is the size in bytes up to which a body is kept in memory.
const defaultMaxBody = 1 << 20

var (
	errBody    = errors.New("negotiate: the request's body cannot be sent a second time, after the challenge: set GetBody, MaxBody or Preemptive")
	errRevoked = errors.New("negotiate: the request is being sent again")
)

// body hands out a request's body once for each time the request is sent.
type body struct {
	none  bool
	first io.ReadCloser                 // to be used before get; nil if it has been
	get   func() (io.ReadCloser, error) // nil if it can be read only once
	once  *lease                        // the last one handed out of a body without get
}

// newBody prepares a body. One without GetBody is read into memory, if it has
// no more than limit bytes.
func newBody(r *http.Request, limit int64) (*body, error) {
	switch {
	case r.Body == nil || r.Body == http.NoBody:
		return &body{none: true}, nil
	case r.GetBody != nil:
		return &body{first: r.Body, get: r.GetBody}, nil
	case limit < 0 || r.ContentLength > limit:
		return &body{first: r.Body}, nil
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err != nil {
		return nil, errors.Join(err, r.Body.Close())
	}
	if int64(len(data)) > limit {
		return &body{first: &joined{io.MultiReader(bytes.NewReader(data), r.Body), r.Body}}, nil
	}
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	return &body{get: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }}, nil
}

type joined struct {
	io.Reader
	io.Closer
}

// attach gives the request its body.
func (b *body) attach(r *http.Request) error {
	r.GetBody = nil
	if b.none {
		return nil
	}
	switch {
	case b.get == nil:
		if b.once != nil && !b.once.revoke() {
			return errBody
		}
		if b.once != nil {
			b.first = b.once.body
		}
		b.once = &lease{body: b.first}
		r.Body, b.first = b.once, nil
		return nil
	case b.first != nil:
		r.Body, b.first = b.first, nil
	default:
		next, err := b.get()
		if err != nil {
			return err
		}
		r.Body = next
	}
	r.GetBody = b.get
	return nil
}

// repeatable reports whether the body can be sent again.
func (b *body) repeatable() bool {
	return b.none || b.get != nil || b.first != nil || b.once.state.Load() == leaseUnused
}

// close closes the body if nobody else has it to close.
func (b *body) close() {
	if b.first != nil {
		_ = b.first.Close() // nothing was written to it
	}
	if b.once != nil && b.once.revoke() {
		_ = b.once.body.Close()
	}
}

// States of a lease.
const (
	leaseUnused  = iota
	leaseUsed    // read from
	leaseRevoked // handed on, or closed by its owner
)

// lease is a body that can be taken back as long as nobody has read from it: a
// server that is asked with "Expect: 100-continue" refuses before it is sent.
type lease struct {
	body  io.ReadCloser
	state atomic.Int32
}

// revoke takes the body back and reports whether it is whole.
func (l *lease) revoke() bool {
	return l.state.CompareAndSwap(leaseUnused, leaseRevoked)
}

// Read implements [io.Reader].
func (l *lease) Read(p []byte) (int, error) {
	if !l.state.CompareAndSwap(leaseUnused, leaseUsed) && l.state.Load() != leaseUsed {
		return 0, errRevoked
	}
	return l.body.Read(p)
}

// Close implements [io.Closer]. A body that was not read stays open: it may be
// wanted again, and is closed at the end of RoundTrip.
func (l *lease) Close() error {
	if l.state.Load() != leaseUsed {
		return nil
	}
	return l.body.Close()
}
