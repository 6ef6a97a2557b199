package enctype_test

import (
	"encoding/binary"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// compare holds one message against gokrb5 in both directions. Usage 0 and the
// pseudo-random functions are known to be wrong there.
func compare(t *testing.T, id etype.ID, value, msg []byte, usage uint32) {
	t.Helper()
	k, err := enctype.NewKey(id, value)
	require.NoError(t, err)
	other, err := crypto.GetEtype(int32(id))
	require.NoError(t, err)

	ours, err := k.Encrypt(nil, msg, usage)
	require.NoError(t, err)
	got, err := other.DecryptMessage(value, ours, usage)
	require.NoError(t, err)
	require.Equal(t, msg, append([]byte{}, got...))

	_, theirs, err := other.EncryptMessage(value, msg, usage)
	require.NoError(t, err)
	require.Len(t, theirs, len(ours))
	got, err = k.Decrypt([]byte{}, theirs, usage)
	require.NoError(t, err)
	require.Equal(t, msg, got)

	want, err := other.GetChecksumHash(value, msg, usage)
	require.NoError(t, err)
	sum, err := k.Checksum(nil, usage, msg)
	require.NoError(t, err)
	require.Equal(t, want, sum)
}

func TestOracle(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		for _, n := range lengths {
			for _, usage := range []uint32{1, 2, 11, 24, 1024} {
				compare(t, k.Enctype(), k.Bytes(), bytesOf(n), usage)
			}
		}
	})
}

func TestOracleStringToKey(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		other, err := crypto.GetEtype(int32(k.Enctype()))
		require.NoError(t, err)
		for _, password := range []string{"password", "", "pässwörd", string(bytesOf(200))} {
			want, err := other.StringToKey(password, "EXAMPLE.COMalice", other.GetDefaultStringToKeyParams())
			require.NoError(t, err)
			got, err := enctype.StringToKey(k.Enctype(), []byte(password), "EXAMPLE.COMalice", nil)
			require.NoError(t, err)
			require.Equal(t, want, got.Bytes())
		}
	})
}

func FuzzOracle(f *testing.F) {
	for _, id := range enctype.Default()[:4] {
		for _, n := range []int{0, 1, 16, 17, 33, 300} {
			f.Add(uint8(id), uint32(24), bytesOf(32), bytesOf(n))
		}
	}
	f.Fuzz(func(t *testing.T, id uint8, usage uint32, key, msg []byte) {
		size := enctype.KeySize(etype.ID(id))
		if id < 17 || id > 20 || !enctype.Supported(etype.ID(id)) || usage == 0 || len(key) < size {
			return
		}
		compare(t, etype.ID(id), key[:size], append([]byte{}, msg...), usage)
	})
}

// FuzzOpen gives Open what nobody sealed, and what was sealed and changed.
func FuzzOpen(f *testing.F) {
	f.Add(uint8(17), []byte{}, uint32(0), uint8(0))
	f.Add(uint8(18), bytesOf(28), uint32(3), uint8(1))
	f.Add(uint8(19), bytesOf(100), uint32(40), uint8(0x80))
	f.Add(uint8(20), bytesOf(400), uint32(0), uint8(0x10))
	f.Add(uint8(16), bytesOf(28), uint32(27), uint8(1))
	f.Add(uint8(23), bytesOf(24), uint32(0), uint8(1))
	f.Add(uint8(25), bytesOf(33), uint32(48), uint8(1))
	f.Add(uint8(26), bytesOf(300), uint32(17), uint8(4))
	f.Fuzz(func(t *testing.T, id uint8, data []byte, at uint32, flip uint8) {
		if !enctype.Supported(etype.ID(id)) {
			return
		}
		c := cipherOf(t, testKey(t, etype.ID(id)), 24)
		if _, err := c.Open(nil, data); err == nil {
			t.Fatalf("forged: %x", data)
		}
		ct, err := c.Seal(nil, data, nil)
		require.NoError(t, err)
		got, err := c.Open(nil, ct)
		require.NoError(t, err)
		if etype.ID(id) == etype.DES3SHA1 { // padded
			require.Less(t, len(got)-len(data), 8)
			got = got[:len(data)]
		}
		require.Equal(t, string(data), string(got))
		if flip != 0 {
			ct[int(at%uint32(len(ct)))] ^= flip
			_, err = c.Open(nil, ct)
			require.Equal(t, krberr.APBadIntegrity, err)
		}
	})
}

// FuzzStringToKeyParams checks the cap: nothing between the wire and the hash
// asks for more than 2^24 iterations, and nothing for fewer than the default.
func FuzzStringToKeyParams(f *testing.F) {
	for _, n := range []uint32{0, 1, 4095, 32767, 1 << 24, 0xffffffff} {
		f.Add(uint8(18), binary.BigEndian.AppendUint32(nil, n))
	}
	f.Add(uint8(20), []byte{})
	f.Fuzz(func(t *testing.T, id uint8, params []byte) {
		if !enctype.Supported(etype.ID(id)) {
			return
		}
		if len(params) == 4 {
			if n := binary.BigEndian.Uint32(params); n >= 4096 && n < 1<<24 {
				return // legal, and slow
			}
		}
		if params == nil {
			params = []byte{}
		}
		_, err := enctype.StringToKey(etype.ID(id), []byte("password"), "salt", params)
		require.ErrorIs(t, err, krberr.BadS2KParams)
	})
}
