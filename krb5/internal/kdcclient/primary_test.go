package kdcclient

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// withPrimary returns a KDC with an old password and the primary one of its
// realm.
func withPrimary(t *testing.T) (old, primary *fakeKDC) {
	old, primary = newKDC(t), newKDC(t)
	primary.primary = primary
	old.primary, old.salt = primary, "of the old password"
	old.methodData = func() []wire.PAData { return []wire.PAData{primary.info(), {Type: wire.PAEncTimestamp}} }
	return old, primary
}

// A password that a KDC does not have yet is good at the primary KDC.
func TestPrimary(t *testing.T) {
	old, primary := withPrimary(t)
	got, err := newClient(t, old, "").Login(t.Context(), byPassword(password))
	require.NoError(t, err)
	require.Equal(t, alice, got.Client)
	require.Equal(t, 1, old.proofs)
	require.Equal(t, 1, primary.proofs)
	for _, r := range old.seen {
		require.Equal(t, kdcnet.KDC, r.Service)
		require.Empty(t, r.Avoid)
	}
	for _, r := range primary.seen {
		require.Equal(t, kdcnet.Primary, r.Service)
		require.Equal(t, "kdc.example.com:88", r.Avoid)
	}
}

// A password that is wrong everywhere is refused once by each.
func TestPrimaryRefuses(t *testing.T) {
	old, primary := withPrimary(t)
	_, err := newClient(t, old, "").Login(t.Context(), byPassword("wrong"))
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	require.Equal(t, 1, old.proofs)
	require.Equal(t, 1, primary.proofs)
}

// The first answer stands when the primary KDC does not answer.
func TestPrimaryUnreachable(t *testing.T) {
	for _, code := range []krberr.Code{krberr.KDCUnreach, krberr.RealmUnknown} {
		old, primary := withPrimary(t)
		primary.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return nil, code }
		_, err := newClient(t, old, "").Login(t.Context(), byPassword("wrong"))
		require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	}
}

// Other refusals are the primary KDC's too: it is not asked.
func TestPrimaryNotAsked(t *testing.T) {
	for _, code := range []krberr.Code{krberr.KDCClientUnknown, krberr.KDCClientRevoked, krberr.KDCPolicy} {
		old, primary := withPrimary(t)
		old.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) { return old.fail(code, nil), nil }
		_, err := newClient(t, old, "").Login(t.Context(), byPassword(password))
		require.ErrorIs(t, err, code)
		require.Empty(t, primary.seen)
	}
}

// An Exchanger that names no server has no other: the user has one attempt.
func TestPrimaryWithoutAddresses(t *testing.T) {
	old, primary := withPrimary(t)
	_, err := newClient(t, exchangeFunc(func(r *kdcnet.Request) []byte {
		silent := *r
		silent.Answered = nil
		reply, err := old.Exchange(t.Context(), &silent)
		require.NoError(t, err)
		return reply
	}), "").Login(t.Context(), byPassword(password))
	require.ErrorIs(t, err, krberr.KDCPreauthFailed)
	require.Empty(t, primary.seen)
}

// The password has been changed a moment ago; this KDC still says that the old
// one has expired.
func TestPrimaryAfterExpiry(t *testing.T) {
	old, _ := withPrimary(t)
	old.instead = func(int, *kdcnet.Request, *wire.KDCReq) ([]byte, error) {
		return old.fail(krberr.KDCKeyExpired, nil), nil
	}
	_, err := newClient(t, old, "").Login(t.Context(), byPassword(password))
	require.NoError(t, err)
}
