package aescbc

import (
	"bufio"
	"encoding/hex"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVectors(t *testing.T) {
	f, err := os.Open("testdata/sp800-38a.txt")
	require.NoError(t, err)
	defer f.Close()
	count := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		var v [4][]byte
		for i, word := range strings.Fields(s.Text()) {
			v[i], err = hex.DecodeString(word)
			require.NoError(t, err)
		}
		key, iv, pt, ct := v[0], [BlockSize]byte(v[1]), v[2], v[3]
		for name, kernel := range paths() {
			c, err := newCipher(key, kernel)
			require.NoError(t, err)
			out := make([]byte, len(pt))
			next := iv
			require.NoError(t, c.Encrypt(out, pt, &next))
			require.Equal(t, ct, out, name)
			next = iv
			require.NoError(t, c.Decrypt(out, ct, &next))
			require.Equal(t, pt, out, name)
		}
		count++
	}
	require.Equal(t, 2, count)
}
