package testenv

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/gss-go/gssapi/krb5"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
)

var _ krb5.Exchanger = (*KDC)(nil)

var errDropped = errors.New("testenv: the KDC did not answer")

// Exchange implements krb5.Exchanger without sockets. A message to a realm that
// no [KDC.Trust] leads to, or to another service, a dropped one (Drop) and any after Close are errors;
// everything else, garbage too, is answered, with a KRB-ERROR if need be.
func (k *KDC) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if r != nil && r.Realm != k.realm {
		return k.forward(ctx, r)
	}
	if r == nil || r.Service != krb5.ServiceKDC && r.Service != krb5.ServicePrimary {
		return nil, fmt.Errorf("testenv: not a KDC of this realm, which is %s", k.realm)
	}
	return k.answer(r.Message, r.TCP)
}

// answer answers one message.
func (k *KDC) answer(message []byte, tcp bool) ([]byte, error) {
	k.mu.Lock()
	k.requests++
	closed, dropped, code := k.closed, k.drop > 0, k.fail
	if dropped {
		k.drop--
	} else if len(k.failNext) > 0 {
		if code = k.failNext[0]; code == 0 {
			code = k.fail
		}
		k.failNext = k.failNext[1:]
	}
	k.mu.Unlock()
	if closed {
		return nil, net.ErrClosed
	}
	if dropped {
		return nil, errDropped
	}
	req, err := parseRequest(message)
	switch {
	case code != 0:
		return k.errorReply(req, &failure{code: code}), nil
	case err != nil:
		return k.errorReply(nil, failed(err)), nil
	}
	reply, err := k.handle(req)
	if err == nil && !tcp && (k.opt.UDPLimit < 0 || len(reply) > k.opt.UDPLimit) {
		err = &failure{code: errorcode.KRB_ERR_RESPONSE_TOO_BIG}
	}
	if err != nil {
		return k.errorReply(req, failed(err)), nil
	}
	return reply, nil
}

// handle answers a request that was understood.
func (k *KDC) handle(r *request) ([]byte, error) {
	if r.MsgType == msgASReq {
		if err := k.unarmorAS(r, k.now()); err != nil {
			return nil, err
		}
		return k.handleAS(r)
	}
	return k.handleTGS(r)
}
