package testenv

import (
	"cmp"
	"errors"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/nametype"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// failure is an error that the client is told.
type failure struct {
	code   int32  // error-code
	text   string // e-text, "" for the code's own
	data   []byte // e-data
	crealm string // where the client is known
	typed  bool   // data is TYPED-DATA, not METHOD-DATA
}

func (f *failure) Error() string {
	if f.text != "" {
		return f.text
	}
	return errorcode.Lookup(f.code)
}

// failed turns an error into what the client is told.
func failed(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{code: errorcode.KRB_ERR_GENERIC}
}

// errorReply is a KRB-ERROR (RFC 4120 §5.9.1) to a request, which is nil if it
// was not understood.
func (k *KDC) errorReply(r *request, f *failure) []byte {
	now := k.now()
	e := messages.NewKRBError(k.tgs(), k.realm, f.code, f.Error())
	e.STime, e.Susec = seconds(now), microseconds(now)
	e.EData = f.data
	plain := e
	if r != nil {
		if len(r.Body.SName.NameString) > 0 {
			e.SName = r.Body.SName
		}
		if len(r.Body.CName.NameString) > 0 {
			e.CRealm, e.CName = cmp.Or(f.crealm, k.realm), r.Body.CName
		}
	}
	if r != nil && r.armor != nil {
		k.armorError(r, f, &e, &plain)
	}
	b, err := e.Marshal()
	if err != nil { // a name that cannot be sent back
		b, _ = plain.Marshal()
	}
	return b
}

// armorError puts the error under the armor of the request, and leaves outside
// nothing but that there is one.
func (k *KDC) armorError(r *request, f *failure, e, plain *messages.KRBError) {
	data := f.data
	if f.typed {
		data = nil
	}
	e.EData = nil
	inner, err := e.Marshal()
	if err != nil {
		return
	}
	armored, err := r.armor.error(inner, data)
	if err != nil {
		return
	}
	outer := messages.NewKRBError(k.tgs(), k.realm, f.code, "under armor")
	outer.STime, outer.Susec, outer.EData = e.STime, e.Susec, armored
	*e, *plain = outer, outer
}

// tgs is the name of the ticket-granting service.
func (k *KDC) tgs() types.PrincipalName {
	return types.PrincipalName{NameType: nametype.KRB_NT_SRV_INST, NameString: []string{"krbtgt", k.realm}}
}

// seconds is t as KerberosTime has it: UTC and without a fraction.
func seconds(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC().Truncate(time.Second)
}

func microseconds(t time.Time) int { return t.Nanosecond() / 1000 }
