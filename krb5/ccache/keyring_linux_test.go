package ccache_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// keyrings are empty collections in the kernel, none if the system forbids them.
// What is proven against MIT's programs is so elsewhere.
func keyrings(t *testing.T) map[string]ccache.Collection {
	t.Helper()
	if _, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true); errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EPERM) {
		return nil
	}
	m := map[string]ccache.Collection{}
	for _, anchor := range []string{"session", "user", "legacy"} {
		name := "gsstest_" + rand.Text()[:8]
		col, err := ccache.OpenCollection("KEYRING:"+anchor+":"+name, nil)
		require.NoError(t, err)
		m[anchor] = col
		t.Cleanup(func() { forget(t, col, "_krb_"+name) })
	}
	return m
}

// forget destroys a collection's caches and unlinks its keyring.
func forget(t *testing.T, col ccache.Collection, ring string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	list, err := col.Caches(ctx)
	require.NoError(t, err)
	for _, c := range list {
		require.NoError(t, c.Destroy(ctx))
	}
	for _, parent := range []int{unix.KEY_SPEC_USER_KEYRING, unix.KEY_SPEC_USER_SESSION_KEYRING, unix.KEY_SPEC_SESSION_KEYRING} {
		if id, err := unix.KeyctlSearch(parent, "keyring", ring, 0); err == nil {
			_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, parent, 0, 0) // it may be further down
		}
	}
}

// A persistent collection is the user's own. Other users' are not readable, and
// there is only one for all programs: this test leaves it as it was.
func TestPersistent(t *testing.T) {
	if keyrings(t) == nil {
		t.Skip("the system has no keyrings")
	}
	col, err := ccache.OpenCollection("KEYRING:persistent:", nil)
	require.NoError(t, err)
	require.Equal(t, "KEYRING:persistent:", col.Name())
	byNumber, err := ccache.OpenCollection(fmt.Sprintf("KEYRING:persistent:%d", os.Geteuid()), nil)
	require.NoError(t, err)
	c, err := byNumber.New(t.Context(), contents(alice, ticket("a", soon())))
	require.NoError(t, err)
	list, err := col.Caches(t.Context())
	require.NoError(t, err)
	found := false
	for _, other := range list {
		p, err := other.Principal(t.Context())
		require.NoError(t, err)
		found = found || p.Equal(alice)
	}
	require.True(t, found)
	require.NoError(t, c.Destroy(t.Context()))
}

// Programs from before there were collections have their cache in the session
// keyring itself.
func TestKeyringOld(t *testing.T) {
	col := keyrings(t)["legacy"]
	if col == nil {
		t.Skip("the system has no keyrings")
	}
	ctx := t.Context()
	c := primary(t, col)
	require.NoError(t, c.Init(ctx, contents(alice, ticket("a", soon()))))
	name := col.Name()[len("KEYRING:legacy:"):]
	id, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "keyring", name, 0)
	require.NoError(t, err)
	// Without the collection it is found too.
	ring, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "keyring", "_krb_"+name, 0)
	require.NoError(t, err)
	_, err = unix.KeyctlInt(unix.KEYCTL_UNLINK, id, ring, 0, 0)
	require.NoError(t, err)
	creds, err := ccache.Credentials(ctx, resolve(t, "KEYRING:"+name))
	require.NoError(t, err)
	require.Len(t, creds, 1)
	require.NoError(t, c.Destroy(ctx))
	_, err = c.Load(ctx)
	require.ErrorIs(t, err, krberr.FCCNoFile)
}

// A ticket larger than keys of type user may be is kept where the kernel has
// others, except where old programs read.
func TestKeyringLarge(t *testing.T) {
	e := ticket("a", soon())
	e.Ticket = make([]byte, 60_000)
	_, err := unix.AddKey("big_key", "probe", e.Ticket, unix.KEY_SPEC_THREAD_KEYRING)
	big := err == nil
	for name, col := range keyrings(t) {
		err := primary(t, col).Init(t.Context(), contents(alice, e))
		if name == "legacy" || !big {
			require.ErrorIs(t, err, krberr.CCWrite)
			_, err = primary(t, col).Load(t.Context())
			require.ErrorIs(t, err, krberr.FCCNoFile) // and there is no half of a cache
			continue
		}
		require.NoError(t, err)
		creds, err := ccache.Credentials(t.Context(), primary(t, col))
		require.NoError(t, err)
		require.Equal(t, plain([]ccache.Credential{e}), plain(creds))
	}
}

// Payloads that no program of Kerberos wrote are errors.
func TestKeyringHostile(t *testing.T) {
	col := keyrings(t)["session"]
	if col == nil {
		t.Skip("the system has no keyrings")
	}
	ctx := t.Context()
	c := primary(t, col)
	require.NoError(t, c.Init(ctx, contents(alice, ticket("a", soon()))))
	ring, err := unix.KeyctlSearch(unix.KEY_SPEC_SESSION_KEYRING, "keyring", "_krb_"+col.Name()[len("KEYRING:session:"):], 0)
	require.NoError(t, err)
	for _, payload := range []string{"x", "\x00\x00\x00\x02\x00\x00\x00\x01x", "\x00\x00\x00\x01\x00\x00\x00\x02x", "\x00\x00\x00\x01\x00\x00\x00\x01xy", "\x00\x00\x00\x01\x00\x00\x00\x00"} {
		_, err = unix.AddKey("user", "krb_ccache:primary", []byte(payload), ring)
		require.NoError(t, err)
		_, err = col.Primary(ctx)
		require.ErrorIs(t, err, krberr.CCFormat, "%x", payload)
	}
	// The caches are there all the same.
	list, err := col.Caches(ctx)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, col.Switch(ctx, c))
	require.Equal(t, c.Name(), primary(t, col).Name())

	id, err := unix.KeyctlSearch(ring, "keyring", col.Name()[len("KEYRING:session:"):], 0)
	require.NoError(t, err)
	key, err := unix.AddKey("user", "host/evil", []byte("no credential"), id)
	require.NoError(t, err)
	_, err = c.Load(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)
	_, err = unix.KeyctlInt(unix.KEYCTL_UNLINK, key, id, 0, 0)
	require.NoError(t, err)
	_, err = c.Load(ctx)
	require.NoError(t, err)
	_, err = unix.AddKey("user", "__krb5_princ__", []byte("nobody"), id)
	require.NoError(t, err)
	_, err = c.Load(ctx)
	require.ErrorIs(t, err, krberr.CCFormat)
	require.ErrorContains(t, err, c.Name())
}
