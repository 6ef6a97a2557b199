package enctype_test

import (
	"errors"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// runOnly runs a test again under GODEBUG=fips140=only, which can only be set
// before a process starts. It reports whether this is that process.
func runOnly(t *testing.T) bool {
	t.Helper()
	if enctype.Enforced() {
		return true
	}
	if runtime.GOOS != "linux" && runtime.GOOS != "darwin" {
		t.Skip("needs another process")
	}
	exe, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(exe, "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), "GODEBUG=fips140=only")
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.ENOEXEC) {
		t.Skip("runs in an emulator")
	}
	if strings.Contains(string(out), "incompatible with the purego build tag") {
		t.Skip("Go has no FIPS 140-3 mode with the purego tag")
	}
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "PASS: "+t.Name())
	return false
}

// The types with SHA-1 are refused before the standard library panics, and
// those with SHA-2 work.
func TestFIPSOnly(t *testing.T) {
	if !runOnly(t) {
		return
	}
	require.Equal(t, []etype.ID{etype.AES256SHA2, etype.AES128SHA2}, enctype.Default())
	for _, id := range []etype.ID{etype.AES128SHA1, etype.AES256SHA1} {
		require.False(t, enctype.Supported(id))
		_, err := enctype.NewKey(id, make([]byte, enctype.KeySize(id)))
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.GenerateKey(id)
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.StringToKey(id, []byte("password"), "salt", nil)
		require.ErrorIs(t, err, krberr.BadEnctype)
	}
	for _, id := range enctype.Default() {
		k, err := enctype.StringToKey(id, []byte("password"), "", nil)
		require.NoError(t, err, "a short salt is no short salt: the name of the type goes before it")
		ct, err := k.Encrypt(nil, []byte("message"), 1)
		require.NoError(t, err)
		_, err = k.Decrypt(nil, ct, 1)
		require.NoError(t, err)
		sum, err := k.Checksum(nil, 1, nil)
		require.NoError(t, err)
		require.NoError(t, k.VerifyChecksum(sum, 1))
		_, err = enctype.CF2(k, k, "a", "b")
		require.NoError(t, err)
	}
}
