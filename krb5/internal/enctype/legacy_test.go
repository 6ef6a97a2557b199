package enctype_test

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/jcmturner/gokrb5/v8/crypto"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// others are the types without AES.
var others = []etype.ID{etype.DES3SHA1, etype.RC4, etype.Camellia128, etype.Camellia256}

func eachOther(t *testing.T, f func(t *testing.T, k *enctype.Key)) {
	for _, id := range others {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			if !enctype.Supported(id) {
				t.Skip("not supported in this process")
			}
			f(t, testKey(t, id))
		})
	}
}

// needOld skips a test in a process that must not use the old types.
func needOld(t testing.TB) {
	t.Helper()
	if !enctype.Supported(etype.RC4) {
		t.Skip("the process enforces FIPS 140-3")
	}
}

// padded is what comes back of a message.
func padded(k *enctype.Key, msg []byte) []byte {
	if k.Enctype() == etype.DES3SHA1 {
		return append(bytes.Clone(msg), make([]byte, (8-len(msg)%8)%8)...)
	}
	return append([]byte{}, msg...)
}

var otherLengths = []int{0, 1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 255, 4095, 70000}

func TestLegacyRoundTrip(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		for _, usage := range usages {
			c := cipherOf(t, k, usage)
			for _, n := range otherLengths {
				msg := bytesOf(n)
				for _, tail := range []int{0, 1, 16, 64} {
					ct, err := c.Seal([]byte("head"), msg, bytesOf(tail))
					require.NoError(t, err)
					want := padded(k, append(bytes.Clone(msg), bytesOf(tail)...))
					require.Equal(t, "head", string(ct[:4]))
					require.Len(t, ct[4:], len(want)+c.Overhead())
					got, err := c.Open([]byte("head"), ct[4:])
					require.NoError(t, err)
					require.Equal(t, append([]byte("head"), want...), got)
				}
			}
		}
	})
}

// A message may lie where its ciphertext goes, and a ciphertext where its
// plaintext goes.
func TestLegacyInPlace(t *testing.T) {
	lead := map[etype.ID]int{etype.DES3SHA1: 8, etype.RC4: 24, etype.Camellia128: 16, etype.Camellia256: 16}
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		at := lead[k.Enctype()]
		c := cipherOf(t, k, 24)
		for _, n := range otherLengths {
			msg, buf := bytesOf(n), make([]byte, n+100)
			copy(buf[at:], msg)
			ct, err := c.Seal(buf[:0], buf[at:at+n], nil)
			require.NoError(t, err)
			require.Same(t, &buf[0], &ct[0])
			got, err := c.Open(ct[at:at], ct)
			require.NoError(t, err)
			require.Equal(t, padded(k, msg), append([]byte{}, got...))
		}
	})
}

// Every byte counts, and so does the length; nothing of a forged message gets
// out.
func TestLegacyTamper(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		for _, n := range []int{0, 1, 8, 16, 24, 33, 64} {
			ct, err := k.Encrypt(nil, bytesOf(n), 2)
			require.NoError(t, err)
			refuse := func(ct []byte, usage uint32) {
				t.Helper()
				dst := make([]byte, 3, 200)
				got, err := k.Decrypt(dst, ct, usage)
				require.Equal(t, krberr.APBadIntegrity, err)
				require.Len(t, got, 3)
				require.Equal(t, make([]byte, 200), dst[:200])
			}
			for i := range ct {
				bad := bytes.Clone(ct)
				bad[i] ^= 1 << (i % 8)
				refuse(bad, 2)
			}
			for i := range ct {
				refuse(ct[:i], 2)
				refuse(ct[i+1:], 2)
			}
			refuse(append(bytes.Clone(ct), 0), 2)
			refuse(append(bytes.Clone(ct), make([]byte, 8)...), 2)
			refuse(append(bytes.Clone(ct), make([]byte, 16)...), 2)
			refuse(ct, 1)
		}
	})
}

func TestLegacyChecksum(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		m, data := macOf(t, k, 17), bytesOf(100)
		sum, err := k.Checksum([]byte("x"), 17, data)
		require.NoError(t, err)
		sum = sum[1:]
		require.Len(t, sum, m.Size())
		for cut := range data {
			require.Equal(t, sum, m.Sum(nil, data[:cut], data[cut:]))
			require.Equal(t, sum, m.SumParts(nil, data[:cut], nil, data[cut:]))
			require.True(t, m.Verify(sum, data[:cut], data[cut:]))
		}
		for i := range sum {
			bad := bytes.Clone(sum)
			bad[i] ^= 0x80
			require.False(t, m.Verify(bad, data, nil))
			require.ErrorIs(t, k.VerifyChecksum(bad, 17, data), krberr.APModified)
			require.ErrorIs(t, k.VerifyChecksum(sum[:i], 17, data), krberr.APModified)
		}
		require.ErrorIs(t, k.VerifyChecksum(sum, 18, data), krberr.APModified)
		require.ErrorIs(t, k.VerifyChecksum(sum, 17, data[1:]), krberr.APModified)
	})
}

// A cleared cipher fails and gives nothing away.
func TestLegacyClear(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		c := cipherOf(t, k, 24)
		ct, err := c.Seal(nil, bytesOf(40), nil)
		require.NoError(t, err)
		tag := c.Tag([]byte("message"))
		c.Clear()
		c.Clear()
		if tag != nil {
			require.NotEqual(t, tag, c.Tag([]byte("message")), "the integrity key is gone too")
		}
		dst := make([]byte, 4, 200)
		got, err := c.Seal(dst, bytesOf(40), []byte("tail"))
		require.ErrorIs(t, err, krberr.BadKeySize)
		require.Len(t, got, 4)
		require.Equal(t, make([]byte, 200), dst[:200])
		got, err = c.Open(dst, ct)
		require.ErrorIs(t, err, krberr.APBadIntegrity)
		require.Len(t, got, 4)
		require.Equal(t, make([]byte, 200), dst[:200])
		k.Clear()
		_, err = k.Encrypt(nil, nil, 1)
		require.Error(t, err)
		require.Nil(t, k.PRF(nil, nil))
	})
}

func TestLegacyConfounder(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		c, seen := cipherOf(t, k, 24), map[string]bool{}
		for range 100 {
			ct, err := c.Seal(nil, nil, nil)
			require.NoError(t, err)
			require.False(t, seen[string(ct)])
			seen[string(ct)] = true
		}
		broken := errors.New("no randomness")
		c.FailRandom(broken)
		dst, err := c.Seal([]byte("x"), []byte("message"), nil)
		require.ErrorIs(t, err, broken)
		require.Equal(t, "x", string(dst))
	})
}

func TestLegacyAllocs(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		for _, n := range []int{0, 40, 3000} {
			c, m := cipherOf(t, k, 24), macOf(t, k, 25)
			msg, buf, out := bytesOf(n), make([]byte, 0, n+100), make([]byte, 0, n+100)
			parts := func() {
				ct, err := c.Seal(buf, msg, nil)
				require.NoError(t, err)
				_, err = c.Open(out, ct)
				require.NoError(t, err)
				m.Sum(out, msg, nil)
				m.SumParts(out, msg, msg)
			}
			parts()
			parts()
			// require.NoError does not allocate when there is none.
			require.Zero(t, testing.AllocsPerRun(50, parts), n)
		}
	})
}

func TestLegacyConcurrent(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				for i := range 50 {
					msg := append([]byte{0xff}, bytesOf(g*10+i)...) // no DER
					ct, err := k.Encrypt(nil, msg, uint32(g%3))
					if err != nil {
						t.Error(err)
						return
					}
					got, err := k.Decrypt(nil, ct, uint32(g%3))
					if err != nil || !bytes.Equal(padded(k, msg), append([]byte{}, got...)) {
						t.Errorf("%v: %x", err, got)
						return
					}
				}
			})
		}
		wg.Wait()
	})
}

func TestLegacyDefault(t *testing.T) {
	require.False(t, enctype.Legacy(etype.AES256SHA1))
	require.False(t, enctype.Legacy(etype.Camellia128))
	require.False(t, enctype.Legacy(99))
	require.True(t, enctype.Legacy(etype.DES3SHA1))
	require.True(t, enctype.Legacy(etype.RC4))
	if !enctype.Enforced() {
		require.Equal(t, []etype.ID{18, 17, 20, 19, 16, 23, 25, 26}, enctype.All())
	}
}

// Under enforcement of FIPS 140-3 none of them exists.
func TestLegacyFIPS(t *testing.T) {
	if !runOnly(t) {
		return
	}
	for _, id := range others {
		require.False(t, enctype.Supported(id))
		require.NotContains(t, enctype.All(), id)
		_, err := enctype.NewKey(id, make([]byte, enctype.KeySize(id)))
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.GenerateKey(id)
		require.ErrorIs(t, err, krberr.BadEnctype)
		_, err = enctype.StringToKey(id, []byte("password"), "salt", nil)
		require.ErrorIs(t, err, krberr.BadEnctype)
	}
}

// Random keys of Triple-DES have odd parity.
func TestLegacyGenerateKey(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		a, err := enctype.GenerateKey(k.Enctype())
		require.NoError(t, err)
		b, err := enctype.GenerateKey(k.Enctype())
		require.NoError(t, err)
		require.False(t, a.Equal(b))
		require.Len(t, a.Bytes(), enctype.KeySize(k.Enctype()))
	})
	needOld(t)
	k, err := enctype.GenerateKey(etype.DES3SHA1)
	require.NoError(t, err)
	for _, b := range k.Bytes() {
		ones := 0
		for ; b != 0; b &= b - 1 {
			ones++
		}
		require.Equal(t, 1, ones%2)
	}
}

// RFC 4757 has the number 8 where MIT has 9.
func TestRC4Usages(t *testing.T) {
	needOld(t)
	k := testKey(t, etype.RC4)
	open := func(sealed, opened uint32) error {
		ct, err := k.Encrypt(nil, []byte("message"), sealed)
		require.NoError(t, err)
		_, err = k.Decrypt(nil, ct, opened)
		return err
	}
	require.NoError(t, open(3, 8))
	require.NoError(t, open(8, 3))
	require.NoError(t, open(8, 9))
	require.NoError(t, open(9, 9))
	require.NoError(t, open(23, 13))
	require.Error(t, open(9, 8), "only the one who opens 9 makes do with 8")
	require.Error(t, open(9, 3))
	require.Error(t, open(7, 9))
	require.Error(t, open(24, 23))
}

func TestNTHash(t *testing.T) {
	needOld(t)
	for password, want := range map[string]string{
		"":         "31d6cfe0d16ae931b73c59d7e0c089c0",
		"password": "8846f7eaee8fb117ad06bdd830b7586c",
	} {
		k, err := enctype.StringToKey(etype.RC4, []byte(password), "whatever salt", nil)
		require.NoError(t, err)
		require.Equal(t, want, fmt.Sprintf("%x", k.Bytes()))
	}
	_, err := enctype.StringToKey(etype.RC4, []byte("\xff"), "", nil)
	require.ErrorIs(t, err, krberr.InvalidUTF8)
	for _, id := range []etype.ID{etype.RC4, etype.DES3SHA1} {
		for _, params := range [][]byte{{}, {0, 0, 16, 0}} {
			_, err = enctype.StringToKey(id, []byte("password"), "", params)
			require.ErrorIs(t, err, krberr.BadS2KParams)
		}
	}
}

// What Decrypt takes for padding.
func TestUnpad(t *testing.T) {
	needOld(t)
	k := testKey(t, etype.DES3SHA1)
	long := append([]byte{0x63, 0x82, 0x01, 0x03}, make([]byte, 259)...)
	for _, tt := range []struct {
		name      string
		msg, want []byte
	}{
		{"message", []byte{0x30, 3, 1, 1, 0}, []byte{0x30, 3, 1, 1, 0}},
		{"message that ends in zeros", []byte{0x7b, 4, 1, 0, 0, 0}, []byte{0x7b, 4, 1, 0, 0, 0}},
		{"long message", long, long},
		{"whole blocks", []byte{0x30, 6, 1, 2, 3, 4, 5, 6}, []byte{0x30, 6, 1, 2, 3, 4, 5, 6}},
		{"other bytes behind", []byte{0x30, 1, 1, 2}, []byte{0x30, 1, 1, 2, 0, 0, 0, 0}},
		{"too many zeros", []byte{0x30, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}, []byte{0x30, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
		{"longer than it is", []byte{0x30, 9, 1}, []byte{0x30, 9, 1, 0, 0, 0, 0, 0}},
		{"length of the length", []byte{0x30, 0x87, 1}, []byte{0x30, 0x87, 1, 0, 0, 0, 0, 0}},
		{"no DER", []byte{2, 1, 1}, []byte{2, 1, 1, 0, 0, 0, 0, 0}},
		{"empty", nil, []byte{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ct, err := k.Encrypt(nil, tt.msg, 2)
			require.NoError(t, err)
			got, err := k.Decrypt([]byte{}, ct, 2)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

// gokrb5 is right about these two as far as the audit goes: usages below 128
// but 3, 9 and 23, and ASCII passwords for RC4.
func TestLegacyOracle(t *testing.T) {
	needOld(t)
	for _, id := range []etype.ID{etype.DES3SHA1, etype.RC4} {
		t.Run(fmt.Sprint(id), func(t *testing.T) {
			k := testKey(t, id)
			if id == etype.DES3SHA1 {
				var err error
				k, err = enctype.StringToKey(id, []byte("password"), "salt", nil)
				require.NoError(t, err)
			}
			other, err := crypto.GetEtype(int32(id))
			require.NoError(t, err)
			for _, n := range []int{1, 8, 16, 33, 100, 4096} {
				for _, usage := range []uint32{1, 2, 7, 8, 11, 12, 24} {
					msg := bytesOf(n)
					msg[0] = 0xff // no DER
					ours, err := k.Encrypt(nil, msg, usage)
					require.NoError(t, err)
					got, err := other.DecryptMessage(k.Bytes(), ours, usage)
					require.NoError(t, err)
					require.Equal(t, msg, got[:n])
					_, theirs, err := other.EncryptMessage(k.Bytes(), bytes.Clone(msg), usage)
					require.NoError(t, err)
					got, err = k.Decrypt(nil, theirs, usage)
					require.NoError(t, err)
					require.Equal(t, padded(k, msg), got)
					want, err := other.GetChecksumHash(k.Bytes(), msg, usage)
					require.NoError(t, err)
					sum, err := k.Checksum(nil, usage, msg)
					require.NoError(t, err)
					require.Equal(t, want, sum)
				}
			}
			for _, password := range []string{"password", "a longer password of many words"} {
				want, err := other.StringToKey(password, "EXAMPLE.COMalice", other.GetDefaultStringToKeyParams())
				require.NoError(t, err)
				got, err := enctype.StringToKey(id, []byte(password), "EXAMPLE.COMalice", nil)
				require.NoError(t, err)
				require.Equal(t, want, got.Bytes())
			}
		})
	}
}

// FuzzUnpad: what is left out is less than a block of zeros.
func FuzzUnpad(f *testing.F) {
	f.Add([]byte{0x30, 3, 1, 1, 0})
	f.Add([]byte{0x7b, 0x84, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := enctype.Unpad(b)
		require.LessOrEqual(t, n, len(b))
		require.Less(t, len(b)-n, 8)
		require.Equal(t, make([]byte, len(b)-n), append([]byte{}, b[n:]...))
	})
}

func BenchmarkLegacy(b *testing.B) {
	needOld(b)
	for _, id := range others {
		k, err := enctype.GenerateKey(id)
		require.NoError(b, err)
		for _, n := range []int{64, 1024, 65536} {
			c, msg, buf, out := cipherOf(b, k, 24), bytesOf(n), make([]byte, 0, n+100), make([]byte, 0, n+100)
			b.Run(fmt.Sprintf("%v/seal/%d", id, n), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = c.Seal(buf, msg, nil)
				}
			})
			ct, err := c.Seal(nil, msg, nil)
			require.NoError(b, err)
			b.Run(fmt.Sprintf("%v/open/%d", id, n), func(b *testing.B) {
				b.SetBytes(int64(n))
				b.ReportAllocs()
				for b.Loop() {
					_, _ = c.Open(out, ct)
				}
			})
		}
	}
}

// Nothing that prints values prints a key, or what was derived from it.
func TestLegacyRedacted(t *testing.T) {
	eachOther(t, func(t *testing.T, k *enctype.Key) {
		c, m := cipherOf(t, k, 2), macOf(t, k, 2)
		ct, err := c.Seal(nil, []byte("a plaintext that stays in the scratch space"), nil)
		require.NoError(t, err)
		_, err = c.Open(nil, ct)
		require.NoError(t, err)
		for _, v := range []any{k, *k, c, *c, m, *m} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%d", "%x", "%s", "%q"} {
				require.Equal(t, "[redacted]", fmt.Sprintf(verb, v), "%s of %T", verb, v)
			}
			require.NotContains(t, fmt.Sprintf("%+v", struct{ hidden any }{v}), fmt.Sprint(k.Bytes()[:4]))
		}
	})
}
