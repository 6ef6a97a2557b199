package enctype_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

func TestTable(t *testing.T) {
	for _, tt := range []struct {
		id             etype.ID
		key, over, sum int
		sumType        int32
		prf            int
	}{
		{etype.AES128SHA1, 16, 28, 12, 15, 16},
		{etype.AES256SHA1, 32, 28, 12, 16, 16},
		{etype.AES128SHA2, 16, 32, 16, 19, 32},
		{etype.AES256SHA2, 32, 40, 24, 20, 48},
		{etype.DES3SHA1, 24, 28, 20, 12, 16},
		{etype.RC4, 16, 24, 16, -138, 20},
		{etype.Camellia128, 16, 32, 16, 17, 16},
		{etype.Camellia256, 32, 32, 16, 18, 16},
	} {
		t.Run(fmt.Sprint(tt.id), func(t *testing.T) {
			require.Equal(t, tt.key, enctype.KeySize(tt.id))
			require.Equal(t, tt.over, enctype.Overhead(tt.id))
			require.Equal(t, tt.sum, enctype.ChecksumSize(tt.id))
			got, ok := enctype.ChecksumType(tt.id)
			require.True(t, ok)
			require.Equal(t, tt.sumType, got)
			if enctype.Supported(tt.id) {
				require.Len(t, testKey(t, tt.id).PRF(nil, nil), tt.prf)
			}
		})
	}
	for _, id := range []etype.ID{0, 1, 3, 6, etype.RC4Exp, 27, -1, 99} {
		require.False(t, enctype.Supported(id))
		require.Zero(t, enctype.KeySize(id))
		require.Zero(t, enctype.Overhead(id))
		require.Zero(t, enctype.ChecksumSize(id))
		_, ok := enctype.ChecksumType(id)
		require.False(t, ok)
		_, err := enctype.NewKey(id, make([]byte, 16))
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.GenerateKey(id)
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.StringToKey(id, nil, "", nil)
		require.ErrorIs(t, err, krberr.BadEnctype)
	}
}

func TestDefault(t *testing.T) {
	want := []etype.ID{18, 17, 20, 19, 25, 26}
	if enctype.Enforced() {
		want = []etype.ID{20, 19}
	}
	require.Equal(t, want, enctype.Default())
	enctype.Default()[0] = 0
	require.Equal(t, want, enctype.Default(), "the slice is the caller's")
}

func TestNewKey(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		id, size := k.Enctype(), enctype.KeySize(k.Enctype())
		for _, n := range []int{0, 1, 15, 16, 17, 24, 31, 32, 33, 64} {
			_, err := enctype.NewKey(id, make([]byte, n))
			if n == size {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, krberr.BadKeySize)
			}
		}
		value := bytesOf(size)
		k, err := enctype.NewKey(id, value)
		require.NoError(t, err)
		clear(value)
		require.Equal(t, bytesOf(size), k.Bytes(), "NewKey copies")
		clear(k.Bytes())
		require.Equal(t, bytesOf(size), k.Bytes(), "Bytes copies")
	})
}

func TestGenerateKey(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		a, err := enctype.GenerateKey(k.Enctype())
		require.NoError(t, err)
		b, err := enctype.GenerateKey(k.Enctype())
		require.NoError(t, err)
		require.Len(t, a.Bytes(), enctype.KeySize(k.Enctype()))
		require.False(t, a.Equal(b))
		require.NotEqual(t, make([]byte, len(a.Bytes())), a.Bytes())
	})
}

func TestEqual(t *testing.T) {
	var none *enctype.Key
	require.False(t, none.Equal(none))
	require.False(t, new(enctype.Key).Equal(new(enctype.Key)))
	each(t, func(t *testing.T, k *enctype.Key) {
		same := testKey(t, k.Enctype())
		require.True(t, k.Equal(k))
		require.True(t, k.Equal(same))
		require.False(t, k.Equal(nil))
		require.False(t, none.Equal(k))
		value := k.Bytes()
		value[len(value)-1] ^= 1
		other, err := enctype.NewKey(k.Enctype(), value)
		require.NoError(t, err)
		require.False(t, k.Equal(other))
		same.Clear()
		require.False(t, k.Equal(same))
	})
	a, err := enctype.NewKey(etype.AES128SHA2, make([]byte, 16))
	require.NoError(t, err)
	if b, err := enctype.NewKey(etype.AES128SHA1, make([]byte, 16)); err == nil {
		require.False(t, a.Equal(b), "one value, two types")
	}
}

// unusable asserts that every use of k fails with the error.
func unusable(t *testing.T, k *enctype.Key, want error) {
	t.Helper()
	_, err := k.Encrypt(nil, nil, 1)
	require.ErrorIs(t, err, want)
	_, err = k.Decrypt(nil, make([]byte, 64), 1)
	require.ErrorIs(t, err, want)
	_, err = k.Checksum(nil, 1)
	require.ErrorIs(t, err, want)
	require.ErrorIs(t, k.VerifyChecksum(nil, 1), want)
	_, err = k.Cipher(1)
	require.ErrorIs(t, err, want)
	_, err = k.MAC(1)
	require.ErrorIs(t, err, want)
	require.Nil(t, k.PRF([]byte("head"), nil))
	require.Nil(t, enctype.PRFPlus(k, []byte("head"), nil, 16))
	_, err = enctype.CF2(k, k, "a", "b")
	require.ErrorIs(t, err, want)
}

func TestClear(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		ct, err := k.Encrypt(nil, []byte("message"), 1)
		require.NoError(t, err)
		c := cipherOf(t, k, 1)
		k.Clear()
		k.Clear()
		unusable(t, k, krberr.BadKeySize)
		require.Nil(t, k.Bytes())
		ciphers, macs := k.Idle()
		require.Zero(t, ciphers+macs)
		got, err := c.Open(nil, ct)
		require.NoError(t, err, "a cipher is its owner's")
		require.Equal(t, "message", string(got))
	})
}

// A call that Clear overtakes does not bring its cipher back.
func TestClearDuringCall(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		require.NoError(t, k.DuringSeal(1, k.Clear))
		_, err := k.Encrypt(nil, []byte("message"), 1)
		require.NoError(t, err)
		ciphers, macs := k.Idle()
		require.Zero(t, ciphers+macs)
		unusable(t, k, krberr.BadKeySize)
	})
}

func TestNoKey(t *testing.T) {
	var none *enctype.Key
	none.Clear()
	require.Nil(t, none.Bytes())
	require.Zero(t, none.Enctype())
	unusable(t, none, krberr.BadEnctype)
	zero := new(enctype.Key)
	zero.Clear()
	require.Nil(t, zero.Bytes())
	require.Zero(t, zero.Enctype())
	unusable(t, zero, krberr.BadEnctype)
}

// The one-shot calls keep a few ciphers and MACs, and no more.
func TestIdle(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		for usage := range uint32(40) {
			for range 2 {
				ct, err := k.Encrypt(nil, []byte("message"), usage)
				require.NoError(t, err)
				_, err = k.Decrypt(nil, ct, usage)
				require.NoError(t, err)
				_, err = k.Checksum(nil, usage, nil)
				require.NoError(t, err)
			}
			ciphers, macs := k.Idle()
			require.Equal(t, min(int(usage)+1, 4), ciphers)
			require.Equal(t, min(int(usage)+1, 4), macs)
		}
	})
}

func TestConcurrent(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		sum, err := k.Checksum(nil, 6, []byte("data"))
		require.NoError(t, err)
		prf := k.PRF(nil, []byte("data"))
		errs := make(chan error, 8)
		var wg sync.WaitGroup
		for g := range cap(errs) {
			wg.Go(func() {
				for i := range 50 {
					usage, msg := uint32((g+i)%6), bytesOf(i*7)
					ct, err := k.Encrypt(nil, msg, usage)
					if err == nil {
						var got []byte
						if got, err = k.Decrypt(nil, ct, usage); err == nil && string(got) != string(msg) {
							err = fmt.Errorf("another message came out")
						}
					}
					if err == nil {
						err = k.VerifyChecksum(sum, 6, []byte("da"), []byte("ta"))
					}
					if err == nil && string(k.PRF(nil, []byte("data"))) != string(prf) {
						err = fmt.Errorf("another PRF came out")
					}
					if err == nil && !k.Equal(k) {
						err = fmt.Errorf("the key differs from itself")
					}
					if err != nil {
						errs <- err
						return
					}
				}
			})
		}
		wg.Wait()
		close(errs)
		for err := range errs {
			require.NoError(t, err)
		}
	})
}

// Clear may come while others work: they succeed or fail, but do not race.
func TestConcurrentClear(t *testing.T) {
	each(t, func(t *testing.T, k *enctype.Key) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for usage := range uint32(20) {
					ct, err := k.Encrypt(nil, []byte("message"), usage)
					if err == nil {
						_, err = k.Decrypt(nil, ct, usage)
					}
					_ = k.Bytes()
					if err != nil {
						return
					}
				}
			})
		}
		k.Clear()
		wg.Wait()
		unusable(t, k, krberr.BadKeySize)
	})
}
