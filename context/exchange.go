package secctx

import (
	"context"
	"errors"

	gsserr "github.com/gss-go/gssapi/errors"
)

// Exchange takes c through its handshake over any transport: the loop of
// RFC 7546 §3, for either side. send is given each token for the peer, recv
// returns the peer's next one; both own the framing and the deadlines, because a
// call that is under way cannot be interrupted: ctx is looked at before each, and
// given to the mechanism.
//
// If the handshake fails, the token that tells the peer why is sent, if there is
// one. After an error the context has ended.
func Exchange(ctx context.Context, c *SecContext, send func([]byte) error, recv func() ([]byte, error)) error {
	const op = "exchange"
	if c == nil {
		return noContext(op)
	}
	if send == nil || recv == nil {
		return fail(op, gsserr.ErrInaccessibleRead, nil)
	}
	if ctx == nil {
		ctx = context.Background()
	}
	if err := exchange(ctx, c, send, recv); err != nil {
		_ = c.Close() // the error says more
		if e, ok := err.(*gsserr.Error); ok {
			return e
		}
		return fail(op, 0, err)
	}
	return nil
}

func exchange(ctx context.Context, c *SecContext, send func([]byte) error, recv func() ([]byte, error)) error {
	c.mu.Lock()
	fresh := c.initiator && c.state.Load() == stateFresh
	c.mu.Unlock()
	for {
		var in []byte
		if !fresh {
			if err := ctx.Err(); err != nil {
				return err
			}
			var err error
			if in, err = recv(); err != nil {
				return err
			}
		}
		fresh = false
		out, more, err := c.Step(ctx, in)
		if err != nil {
			if e := (*gsserr.Error)(nil); errors.As(err, &e) && len(e.Token) > 0 && ctx.Err() == nil {
				_ = send(e.Token) // a courtesy; our own error is what counts
			}
			return err
		}
		if len(out) > 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := send(out); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}
