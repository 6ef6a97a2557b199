package kdcclient

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// mechanism is one way in which the client proves itself to the KDC before it
// gets a ticket (RFC 6113 §2).
type mechanism interface {
	// padata is the type under which the KDC offers the mechanism.
	padata() int32
	// name is for people.
	name() string
	// respond returns the padata of the next request. It is called for each
	// request, as the proof may depend on the time. l.offered is what the KDC
	// sent, l.method the key it wants.
	respond(ctx context.Context, l *login) ([]wire.PAData, error)
}

// mechanisms are those that this client knows, the strongest first.
func mechanisms() []mechanism { return []mechanism{encTimestamp{}} }

// choose picks the mechanism and the key for the METHOD-DATA of a
// PREAUTH_REQUIRED error (RFC 4120 §5.9.1).
func (l *login) choose(e *Error) error {
	offered, err := wire.ParseMethodData(e.Data)
	if err != nil {
		return fmt.Errorf("%w: METHOD-DATA of %s: %w", krberr.KDCRepModified, e.Code.Name(), err)
	}
	for _, m := range mechanisms() {
		if _, ok := find(offered, m.padata()); !ok {
			continue
		}
		method, err := l.methodOf(offered, nil)
		if err != nil {
			return err
		}
		l.mech, l.offered, l.method = m, offered, method
		return nil
	}
	var types []string
	for _, pa := range offered[:min(len(offered), 32)] {
		types = append(types, fmt.Sprint(pa.Type))
	}
	return fmt.Errorf("%w: none of the KDC's mechanisms is known here (padata types %s): %w",
		krberr.PreauthFailed, strings.Join(slices.Compact(types), " "), e)
}
