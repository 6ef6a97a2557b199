package krb5_test

import (
	"context"
	"slices"
	"testing"

	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// silent is a KDC that does not confirm the users of S4U2Self, like Heimdal's.
// In the part of its replies that nobody protects it may name another client.
type silent struct {
	kdc    *testenv.KDC
	client string
}

func (s *silent) Exchange(ctx context.Context, r *krb5.Request) ([]byte, error) {
	const s4uX509User = 130 // MS-SFU §2.2.2
	b, err := s.kdc.Exchange(ctx, r)
	var rep messages.TGSRep
	if err != nil || rep.Unmarshal(b) != nil {
		return b, err
	}
	rep.PAData = slices.DeleteFunc(rep.PAData, func(p types.PAData) bool { return p.PADataType == s4uX509User })
	if s.client != "" {
		rep.CName.NameString = []string{s.client}
	}
	return rep.Marshal()
}

// Where the KDC does not confirm the user, the ticket itself tells who has the
// service's key; without that nobody is believed.
func TestImpersonateUnconfirmed(t *testing.T) {
	kdc := new(silent)
	w := newOffice(t, nil, func(c *krb5.Config) {
		kdc.kdc = c.KDC.(*testenv.KDC)
		c.KDC = kdc
	})
	p, err := w.impersonate(t, w.front, "alice", oid.NTUserName)
	require.NoError(t, err)
	_, a, err := w.connect(t, p, "HTTP@"+webHost, w.front)
	require.NoError(t, err)
	require.Equal(t, "alice@"+realm, peerOf(a))

	stored := "FILE:" + tempFile(t, "ccache")
	_, err = w.front.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": stored}})
	require.NoError(t, err)
	keyless, err := w.AcquireCred(ctx, mech.CredRequest{Usage: mech.UsageInitiate, Store: map[string]string{"ccache": stored}})
	require.NoError(t, err)
	_, err = w.impersonate(t, keyless, "alice", oid.NTUserName)
	require.ErrorIs(t, err, krb5.Code(-1765328384+16)) // KDC_ERR_PADATA_TYPE_NOSUPP

	// A ticket of alice's that is said to be bob's, who was asked for.
	w.kdc.Alias("bobby", "alice")
	kdc.client = "bobby"
	_, err = w.impersonate(t, w.front, "bobby", oid.NTUserName)
	require.ErrorContains(t, err, "the ticket for bobby@"+realm)
}
