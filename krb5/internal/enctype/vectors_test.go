package enctype_test

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// vector is a record of a file in testdata.
type vector struct {
	t      testing.TB
	line   int
	fields map[string]string
}

func (v vector) hex(name string) []byte {
	v.t.Helper()
	s, ok := v.fields[name]
	require.True(v.t, ok, "line %d has no %s", v.line, name)
	b, err := hex.DecodeString(s)
	require.NoError(v.t, err, "line %d, %s", v.line, name)
	return b
}

func (v vector) num(name string) uint32 {
	v.t.Helper()
	n, err := strconv.ParseUint(v.fields[name], 10, 32)
	require.NoError(v.t, err, "line %d, %s", v.line, name)
	return uint32(n)
}

// key returns the key of the record and skips the test of a type that is not
// supported here.
func (v vector) key() *enctype.Key {
	v.t.Helper()
	k, err := enctype.NewKey(v.etype(), v.hex("key"))
	require.NoError(v.t, err)
	return k
}

func (v vector) etype() etype.ID {
	id := etype.ID(v.num("etype"))
	if !enctype.Supported(id) {
		v.t.Skipf("%v is not supported in this process", id)
	}
	return id
}

// vectors runs f once for each record of each file.
func vectors(t *testing.T, f func(t *testing.T, v vector), names ...string) {
	for _, name := range names {
		file, err := os.Open(filepath.Join("testdata", name))
		require.NoError(t, err)
		defer file.Close()
		in, line, fields, n := bufio.NewScanner(file), 0, map[string]string{}, 0
		flush := func() {
			if len(fields) > 0 {
				v := vector{line: line, fields: fields}
				t.Run(fmt.Sprintf("%s/%d", strings.TrimSuffix(name, ".txt"), n), func(t *testing.T) {
					v.t = t
					f(t, v)
				})
				fields, n = map[string]string{}, n+1
			}
		}
		for in.Scan() {
			line++
			text := strings.TrimSpace(in.Text())
			switch {
			case line == 1:
				require.True(t, strings.HasPrefix(text, "# "), "%s has no source in line 1", name)
			case text == "":
				flush()
			default:
				k, v, ok := strings.Cut(text, "=")
				require.True(t, ok, "%s:%d", name, line)
				fields[strings.TrimSpace(k)] = strings.TrimSpace(v)
			}
		}
		require.NoError(t, in.Err())
		flush()
		require.NotZero(t, n, name)
	}
}

func TestNFoldVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		want := v.hex("out")
		require.Equal(t, want, enctype.NFold(v.hex("in"), len(want)))
	}, "rfc3961-nfold.txt")
}

func TestStringToKeyVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		id := v.etype()
		k, err := enctype.StringToKeyCount(id, string(v.hex("password")), string(v.hex("salt")), v.num("count"))
		require.NoError(t, err)
		require.Equal(t, v.hex("key"), k.Bytes())
		require.Equal(t, id, k.Enctype())
	}, "rfc3962-s2k.txt", "rfc8009-s2k.txt")
}

func TestDeriveVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		kc, ke, ki, err := enctype.Derived(v.key(), v.num("usage"))
		require.NoError(t, err)
		require.Equal(t, v.hex("kc"), kc)
		require.Equal(t, v.hex("ke"), ke)
		require.Equal(t, v.hex("ki"), ki)
	}, "mit-derive.txt", "rfc8009-derive.txt")
}

// The vectors have no confounder and no MAC: the first block stands for the
// one, and the other is cut off.
func TestCTSVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		plain, want := v.hex("plain"), v.hex("cipher")
		c, err := enctype.RawCTS(v.hex("key"))
		require.NoError(t, err)
		c.SetConfounder(plain[:16])
		got, err := c.Seal(nil, plain[16:], nil)
		require.NoError(t, err)
		require.Equal(t, want, got[:len(want)])
		opened, err := c.Open(nil, got)
		require.NoError(t, err)
		require.Equal(t, plain[16:], opened)
	}, "rfc3962-cts.txt")
}

func TestEncryptVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		c, err := v.key().Cipher(v.num("usage"))
		require.NoError(t, err)
		c.SetConfounder(v.hex("confounder"))
		got, err := c.Seal(nil, v.hex("plain"), nil)
		require.NoError(t, err)
		require.Equal(t, v.hex("cipher"), got)
	}, "rfc8009-encrypt.txt")
}

func TestDecryptVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		got, err := v.key().Decrypt([]byte{}, v.hex("cipher"), v.num("usage"))
		require.NoError(t, err)
		require.Equal(t, v.hex("plain"), got)
	}, "mit-decrypt.txt", "rfc8009-encrypt.txt")
}

func TestChecksumVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		k, usage, data := v.key(), v.num("usage"), v.hex("data")
		got, err := k.Checksum(nil, usage, data[:3], data[3:])
		require.NoError(t, err)
		require.Equal(t, v.hex("sum"), got)
		require.NoError(t, k.VerifyChecksum(got, usage, data))
		m, err := k.MAC(usage)
		require.NoError(t, err)
		require.Equal(t, got, m.Sum(nil, data[:5], data[5:]))
	}, "mit-checksum.txt", "rfc8009-checksum.txt")
}

func TestPRFVectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		k := v.key()
		require.Equal(t, v.hex("out"), k.PRF(nil, v.hex("in")))
		require.Equal(t, v.hex("out"), k.PRF(nil, v.hex("in")), "second call")
	}, "mit-prf.txt", "rfc8009-prf.txt")
}

func TestCF2Vectors(t *testing.T) {
	vectors(t, func(t *testing.T, v vector) {
		id := v.etype()
		k1, err := enctype.StringToKey(id, []byte("key1"), "key1", nil)
		require.NoError(t, err)
		k2, err := enctype.StringToKey(id, []byte("key2"), "key2", nil)
		require.NoError(t, err)
		k, err := enctype.CF2(k1, k2, "a", "b")
		require.NoError(t, err)
		require.Equal(t, v.hex("key"), k.Bytes())
	}, "rfc6113-cf2.txt")
}
