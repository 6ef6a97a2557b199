package enctype_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestChecksum(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		for _, usage := range usages {
			m := macOf(t, k, usage)
			require.Equal(t, enctype.ChecksumSize(k.Enctype()), m.Size())
			for _, n := range lengths {
				msg := bytesOf(n)
				want, err := k.Checksum([]byte("head"), usage, msg)
				require.NoError(t, err)
				require.Equal(t, "head", string(want[:4]))
				require.Len(t, want, 4+m.Size())
				for _, tail := range []int{0, 1, 16, 64, 65, 200, n} {
					if tail > n {
						continue
					}
					a, b := msg[:n-tail], msg[n-tail:]
					require.Equal(t, want, m.Sum([]byte("head"), a, b))
					require.True(t, m.Verify(want[4:], a, b))
					require.NoError(t, k.VerifyChecksum(want[4:], usage, a, nil, b))
				}
				require.False(t, m.Verify(want[4:], msg, []byte{0}))
				require.Equal(t, krberr.APModified, k.VerifyChecksum(want[4:], usage+1, msg))
			}
		}
	})
}

func TestChecksumTamper(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		m := macOf(t, k, 23)
		msg := bytesOf(40)
		sum := m.Sum(nil, msg, nil)
		refuse := func(sum, msg []byte) {
			t.Helper()
			require.False(t, m.Verify(sum, msg, nil))
			require.Equal(t, krberr.APModified, k.VerifyChecksum(sum, 23, msg))
		}
		for i := range sum {
			bad := append([]byte{}, sum...)
			bad[i] ^= 0x80
			refuse(bad, msg)
			refuse(sum[:i], msg)
		}
		refuse(append(append([]byte{}, sum...), 0), msg)
		for i := range msg {
			bad := append([]byte{}, msg...)
			bad[i] ^= 1
			refuse(sum, bad)
			refuse(sum, msg[:i])
		}
		require.True(t, m.Verify(sum, msg, nil))
	})
}
