package des3

import (
	"bytes"
	"crypto/cipher"
	"crypto/des"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// newCipher returns a cipher, and skips a test in a process that must not use
// Triple-DES.
func newCipher(t testing.TB) *Cipher {
	t.Helper()
	c, err := New(random(KeySize))
	if errors.Is(err, krberr.CryptoInternal) {
		t.Skip("the process enforces FIPS 140-3")
	}
	require.NoError(t, err)
	return c
}

func random(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

// RFC 3961 Appendix A.3: what DR gives, and the key it makes.
func TestRandomToKey(t *testing.T) {
	for _, v := range [][2]string{
		{"935079d14490a75c3093c4a6e8c3b049c71e6ee705", "925179d04591a79b5d3192c4a7e9c289b049c71f6ee604cd"},
		{"9f58e5a047d894101c469845d67ae3c5249ed812f2", "9e58e5a146d9942a101c469845d67a20e3c4259ed913f207"},
		{"12fff90c773f956d13fc2ca0d0840349dbd39908eb", "13fef80d763e94ec6d13fd2ca1d085070249dad39808eabf"},
		{"f8debf05b097e7dc0603686aca35d91fd9a5516a70", "f8dfbf04b097e6d9dc0702686bcb3489d91fd9a4516b703e"},
		{"2270db565d2a3d64cfbfdc5305d4f778a6de42d9da", "2370da575d2a3da864cebfdc5204d56df779a7df43d9da43"},
		{"348056ec98fcc517171d2b4d7a9493af482d999175", "348057ec98fdc48016161c2a4c7a943e92ae492c989175f7"},
		{"a8818bc367dadacbe9a6c84627fb60c294b01215e5", "a8808ac267dada3dcbe9a7c84626fbc761c294b01315e5c1"},
		{"c813f88b3be2b2f75424ce9175fbc8483b88c8713a", "c813f88a3be3b334f75425ce9175fbe3c8493b89c8703b49"},
		{"f58efc6f83f93e55e695fd252cf8fe59f7d5ba37ec", "f48ffd6e83f83e7354e694fd252cf83bfe58f7d5ba37ec5d"},
	} {
		seed, err := hex.DecodeString(v[0])
		require.NoError(t, err)
		key := RandomToKey(seed)
		require.Equal(t, v[1], hex.EncodeToString(key[:]))
	}
	require.Equal(t, RandomToKey([]byte{1, 2, 0, 0, 0}), RandomToKey([]byte{1, 2}), "a short seed")
}

func TestParity(t *testing.T) {
	for range 1000 {
		for _, b := range RandomToKey(random(SeedSize)) {
			require.Equal(t, 1, bits.OnesCount8(b)%2)
		}
	}
}

// A seed whose key would be weak gives another one.
func TestWeakKeys(t *testing.T) {
	for _, w := range weakKeys {
		require.True(t, weak(w))
		require.False(t, weak(w^2))
		var k [8]byte
		binary.BigEndian.PutUint64(k[:], w)
		seed := make([]byte, SeedSize)
		for j := range 7 {
			seed[j] = k[j]&^1 | k[7]>>(j+1)&1
		}
		key := RandomToKey(seed)
		require.Equal(t, w^0xf0, binary.BigEndian.Uint64(key[:]))
		// The other two parts are of zeros, and weak too.
		require.Equal(t, []byte{1, 1, 1, 1, 1, 1, 1, 0xf1}, key[8:16])
	}
}

func FuzzCBC(f *testing.F) {
	newCipher(f)
	f.Add(make([]byte, KeySize), make([]byte, 8), make([]byte, 24), 8)
	f.Fuzz(func(t *testing.T, key, iv, msg []byte, cut int) {
		c, err := New(key)
		if len(key) != KeySize {
			require.ErrorIs(t, err, krberr.BadKeySize)
			return
		}
		require.NoError(t, err)
		var v [BlockSize]byte
		copy(v[:], iv)
		start := v
		if len(msg)%BlockSize != 0 {
			require.ErrorIs(t, c.EncryptCBC(make([]byte, len(msg)), msg, &v), krberr.BadMsize)
			require.ErrorIs(t, c.DecryptCBC(make([]byte, len(msg)), msg, &v), krberr.BadMsize)
			require.Equal(t, start, v)
			return
		}
		cut = max(min(cut, len(msg)), 0) &^ (BlockSize - 1)
		b, err := des.NewTripleDESCipher(key)
		require.NoError(t, err)
		want := make([]byte, len(msg))
		cipher.NewCBCEncrypter(b, v[:]).CryptBlocks(want, msg)
		got := bytes.Clone(msg)
		require.NoError(t, c.EncryptCBC(got, got[:cut], &v))
		require.NoError(t, c.EncryptCBC(got[cut:], got[cut:], &v))
		require.Equal(t, string(want), string(got))
		v = start
		require.NoError(t, c.DecryptCBC(got, got[:cut], &v))
		require.NoError(t, c.DecryptCBC(got[cut:], got[cut:], &v))
		require.Equal(t, string(msg), string(got))
	})
}

func TestErrors(t *testing.T) {
	c := newCipher(t)
	require.Equal(t, "[redacted]", fmt.Sprintf("%+v", c))
	var iv [BlockSize]byte
	require.ErrorIs(t, c.EncryptCBC(make([]byte, 8), make([]byte, 16), &iv), krberr.BadMsize)
	c.Clear()
	require.ErrorIs(t, c.EncryptCBC(make([]byte, 8), make([]byte, 8), &iv), krberr.BadKeySize)
	require.ErrorIs(t, c.DecryptCBC(make([]byte, 8), make([]byte, 8), &iv), krberr.BadKeySize)
}

func TestAllocs(t *testing.T) {
	c := newCipher(t)
	buf := random(80)
	var iv [BlockSize]byte
	require.Zero(t, testing.AllocsPerRun(10, func() {
		_ = c.EncryptCBC(buf, buf, &iv)
		_ = c.DecryptCBC(buf, buf, &iv)
	}))
}
