package krb5_test

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/testenv"
)

// A context is safe for concurrent use, Close included: whoever asks about it
// meanwhile gets an answer or an error.
func TestInquireDuringClose(t *testing.T) {
	k := newKDC(t, nil)
	for range 20 {
		initiator, acceptor, err := testenv.Pair(k, nil)
		require.NoError(t, err)
		var calls sync.WaitGroup
		calls.Go(func() {
			for range 50 {
				_, _ = krb5.SessionKey(acceptor)
				_, _ = krb5.TicketSessionKey(acceptor)
				_, _ = krb5.AuthzData(acceptor, 1)
				_, _ = krb5.TicketFlags(acceptor)
				_, _ = krb5.Logon(acceptor)
				_, _ = acceptor.Inquire(oid.Krb5TicketFlags)
				_, _ = acceptor.PRF(nil, true, nil, 16)
				_ = acceptor.Info()
				_ = acceptor.Peer()
				_ = acceptor.ProcessToken([]byte{1})
			}
		})
		calls.Go(func() { _ = acceptor.Close() })
		calls.Wait()
		require.NoError(t, initiator.Close())
	}
}
