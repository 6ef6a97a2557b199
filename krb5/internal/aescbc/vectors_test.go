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
		for _, by := range implementations {
			c, err := newCipher(key, by)
			require.NoError(t, err)
			out := make([]byte, len(pt))
			next := iv
			require.NoError(t, c.Encrypt(out, pt, &next))
			require.Equal(t, ct, out, by)
			next = iv
			require.NoError(t, c.Decrypt(out, ct, &next))
			require.Equal(t, pt, out, by)
		}
		count++
	}
	require.Equal(t, 2, count)
}
