package enctype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
)

// noAllocs runs f until the HMACs have kept their states, then counts.
func noAllocs(t *testing.T, f func()) {
	t.Helper()
	f()
	f()
	require.Zero(t, testing.AllocsPerRun(100, f))
}

func TestSealAllocs(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, n := range []int{0, 64, 1024, 65536} {
			msg := bytesOf(n)
			dst := make([]byte, 0, n+16+c.Overhead())
			noAllocs(t, func() {
				var header [16]byte
				if _, err := c.Seal(dst, msg, header[:]); err != nil {
					t.Error(err)
				}
			})
		}
	})
}

func TestOpenAllocs(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		for _, n := range []int{0, 64, 1024, 65536} {
			ct, err := c.Seal(nil, bytesOf(n), nil)
			require.NoError(t, err)
			bad := append([]byte{}, ct...)
			bad[len(bad)-1] ^= 1
			dst := make([]byte, 0, n)
			noAllocs(t, func() {
				if _, err := c.Open(dst, ct); err != nil {
					t.Error(err)
				}
			})
			noAllocs(t, func() {
				if _, err := c.Open(dst, bad); err == nil {
					t.Error("accepted")
				}
			})
		}
	})
}

func TestMACAllocs(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		m := macOf(t, k, 25)
		dst := make([]byte, 0, m.Size())
		for _, n := range []int{0, 64, 1024, 65536} {
			msg := bytesOf(n)
			sum := m.Sum(nil, msg, nil)
			noAllocs(t, func() {
				var header [16]byte
				m.Sum(dst, msg, header[:])
			})
			noAllocs(t, func() {
				if !m.Verify(sum, msg, nil) {
					t.Error("refused")
				}
			})
		}
	})
}

// A keytab key that has derived its usage allocates nothing more.
func TestOneShotAllocs(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		msg := bytesOf(300)
		ct, err := k.Encrypt(nil, msg, 2)
		require.NoError(t, err)
		dst := make([]byte, 0, 400)
		noAllocs(t, func() {
			if _, err := k.Decrypt(dst, ct, 2); err != nil {
				t.Error(err)
			}
		})
		noAllocs(t, func() {
			if _, err := k.Encrypt(dst, msg, 2); err != nil {
				t.Error(err)
			}
		})
	})
}
