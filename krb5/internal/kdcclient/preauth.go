package kdcclient

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// mechanism is one way in which the client proves itself to the KDC before it
// gets a ticket (RFC 6113 §2). A value is for one login.
type mechanism interface {
	// padata is the type under which the KDC offers the mechanism.
	padata() int32
	// name is for people.
	name() string
	// needsKey reports whether it is the client's password or key that is proven.
	needsKey() bool
	// respond returns the padata of the next request. It is called for each
	// request, as the proof may depend on the time. l.offered is what the KDC
	// sent, l.method the key it wants, l.body the body of the request.
	respond(ctx context.Context, l *login) ([]wire.PAData, error)
	// replyKey returns what the reply is encrypted with, after it has verified
	// what the reply says about it.
	replyKey(l *login, rep *wire.KDCRep) (*enctype.Key, error)
}

// continuer is a mechanism that takes several requests. more is called with the
// padata of a MORE_PREAUTH_DATA_REQUIRED (RFC 6113 §5.2).
type continuer interface {
	more(l *login, padata []wire.PAData) error
}

// adjuster is a mechanism that can go on after some other error of the KDC's. It
// returns nil if another request is to be made.
type adjuster interface {
	adjust(l *login, e *Error) error
}

// longTerm is a mechanism, or none, after which the reply is encrypted with the
// client's own key.
type longTerm struct{}

func (longTerm) needsKey() bool { return true }

func (longTerm) replyKey(l *login, rep *wire.KDCRep) (*enctype.Key, error) {
	// A KDC that wanted no preauthentication tells here how the key is made.
	method, err := l.methodOf(rep.PAData, &rep.Enc.Etype)
	if err != nil {
		return nil, err
	}
	return l.clientKey(method, rep.Enc.Kvno)
}

// mechanisms are those that can be used for this login, the preferred one first.
// Whoever brings a certificate wants it to be used, and without armor the proof
// from which a password can be guessed comes last, or not at all.
func (l *login) mechanisms() []mechanism {
	var list []mechanism
	if l.r.PKINIT != nil {
		return append(list, newPKINIT(l))
	}
	if l.hasKey() {
		if l.fast != nil {
			list = append(list, &encChallenge{}, newSPAKE(l))
		} else {
			list = append(list, newSPAKE(l))
			if !l.spake && !l.c.Config.Bool(false, "realms", l.client.Realm, "disable_encrypted_timestamp") {
				list = append(list, encTimestamp{})
			}
		}
	}
	if l.r.Prompt != nil && l.fast != nil {
		list = append(list, &otpMech{})
	}
	return list
}

// choose picks the mechanism and the key for the METHOD-DATA of a
// PREAUTH_REQUIRED error (RFC 4120 §5.9.1).
func (l *login) choose(e *Error) error {
	offered, err := e.methodData()
	if err != nil {
		return err
	}
	for _, m := range l.mechanisms() {
		if _, ok := find(offered, m.padata()); !ok {
			continue
		}
		if m.needsKey() {
			if l.method, err = l.methodOf(offered, nil); err != nil {
				return err
			}
		}
		if m.padata() == wire.PASPAKE {
			l.spake = true
		}
		l.mech, l.offered = m, offered
		return nil
	}
	var types []string
	for _, pa := range offered[:min(len(offered), 32)] {
		types = append(types, fmt.Sprint(pa.Type))
	}
	return fmt.Errorf("%w: none of the KDC's mechanisms can be used here (padata types %s): %w",
		krberr.PreauthFailed, strings.Join(slices.Compact(types), " "), e)
}

// next goes on with a mechanism that takes several requests.
func (l *login) next(e *Error) error {
	m, ok := l.mech.(continuer)
	if !ok {
		return e
	}
	padata, err := e.methodData()
	if err != nil {
		return err
	}
	if err := m.more(l, padata); err != nil {
		return err
	}
	l.offered = padata // the cookie is in it
	return nil
}

// methodData is the METHOD-DATA of an error, from under the armor if it had one.
func (e *Error) methodData() ([]wire.PAData, error) {
	if e.armored {
		return e.padata, nil
	}
	list, err := wire.ParseMethodData(e.Data)
	if err != nil {
		return nil, fmt.Errorf("%w: METHOD-DATA of %s: %w", krberr.KDCRepModified, e.Code.Name(), err)
	}
	return list, nil
}
