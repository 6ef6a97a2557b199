//go:build !linux

package ccache_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func keyrings(t *testing.T) map[string]ccache.Collection {
	t.Helper()
	_, err := ccache.OpenCollection("KEYRING:session:x", nil)
	require.ErrorIs(t, err, krberr.CCUnknownType)
	require.ErrorContains(t, err, "needs Linux")
	return nil
}
