package krb5

import (
	"context"
	"fmt"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/internal/kpasswd"
	"github.com/gss-go/gssapi/oid"
)

// changeLifetime is how long the ticket for a password change is to live.
const changeLifetime = 5 * time.Minute

type (
	// PasswordRefusal is the answer of a password service that has not changed a
	// password, with its reason.
	PasswordRefusal = kpasswd.Refusal
	// PasswordResult is a result code of the password service (RFC 3244 §2).
	PasswordResult = kpasswd.Result
)

// Result codes of the password service.
const (
	PasswordMalformed    = kpasswd.Malformed    // the service does not understand the request
	PasswordServerError  = kpasswd.HardError    // the service cannot
	PasswordAuthError    = kpasswd.AuthError    // the proof of the old password did not convince
	PasswordRejected     = kpasswd.SoftError    // the new password does not fit the policy
	PasswordAccessDenied = kpasswd.AccessDenied // the principal may not do that
)

// ChangePassword changes the password of a principal (RFC 3244). It works with a
// password that has expired, or that must be changed, too: [Mechanism.Login] says
// [ErrKeyExpired] then. Both functions return a password; the mechanism neither
// modifies nor keeps the bytes. The new one is sent as it is; UTF-8 is what
// password services expect.
//
// errors.As finds a [*PasswordRefusal] when the service does not want the new
// password. A wrong old one is [ErrPreauthFailed]. When ctx ends before the
// service has answered, the password may have been changed or not.
func (m *Mechanism) ChangePassword(ctx context.Context, who string, oldPassword, newPassword func() []byte) error {
	const op = "change_password"
	if oldPassword == nil || newPassword == nil {
		return fail(op, gsserr.ErrFailure, fmt.Errorf("both the old and the new password are needed"))
	}
	profile, err := m.config()
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	n, err := m.importName(who, oid.NTKrb5Principal)
	if err != nil {
		return fail(op, 0, err)
	}
	p, err := n.principal(ctx, profile)
	if err != nil {
		return fail(op, gsserr.ErrBadName, err)
	}
	t, err := m.login(ctx, profile, p, &LoginOptions{
		Password: oldPassword,
		Lifetime: changeLifetime,
		Service:  "kadmin/changepw",
	})
	if err != nil {
		return fail(op, 0, err)
	}
	c := &kpasswd.Client{Config: profile, Exchanger: m.c.KDC, Now: m.c.Time}
	offset, _ := t.contents.KDCOffset()
	if err := c.Change(ctx, &t.contents.Entries[0], newPassword(), offset); err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	return nil
}
