package v1

import (
	"errors"
	"fmt"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/oid"
)

var (
	errOverlap = errors.New("output overlaps input")
	errFrame   = fmt.Errorf("%w: frame", krberr.GSSBadTokHeader)
	errClosed  = fmt.Errorf("%w: closed", krberr.GSSCtxIncomplete)
)

// fail makes the error of a call. Its minor status is the Kerberos code of the
// cause, which may be nil for a status that says it all.
func fail(op string, major gsserr.Major, cause error) error {
	return &gsserr.Error{
		Op:    op,
		Major: major,
		Minor: krberr.Of(cause).Minor(),
		Mech:  oid.Krb5,
		Err:   cause,
	}
}
