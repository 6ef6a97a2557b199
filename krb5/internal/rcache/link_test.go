//go:build unix

package rcache

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// The folder is one that everybody may write to: a second name of some other
// file of ours must not make us write into that one.
func TestFileRefusesHardLink(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other")
	require.NoError(t, os.WriteFile(other, nil, 0o600))
	path := filepath.Join(dir, "rc")
	require.NoError(t, os.Link(other, path))
	fresh, err := NewFile(path, skew).Add(ctx, []byte("0123456789abcdef"), noon, noon.Add(skew))
	require.ErrorIs(t, err, krberr.RCIO)
	require.False(t, fresh)
	b, err := os.ReadFile(other)
	require.NoError(t, err)
	require.Empty(t, b)
}
