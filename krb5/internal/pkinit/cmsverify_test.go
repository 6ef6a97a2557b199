package pkinit

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/cryptobyte"
)

// Anyone can send a certificate with a key that takes hours to verify with: it
// is refused unused, whosever it is.
func TestCertificatesRSASize(t *testing.T) {
	signer, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	for bits, ok := range map[uint]bool{2048: true, maxRSA: true, maxRSA + 1: false, 500_000: false} {
		n := new(big.Int).SetBit(big.NewInt(1), int(bits)-1, 1)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1<<32, 0)}
		der, err := x509.CreateCertificate(rand.Reader, template, template, &rsa.PublicKey{N: n, E: 65537}, signer)
		require.NoError(t, err)
		var b cryptobyte.Builder
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddBytes(der) })
		set, err := b.Bytes()
		require.NoError(t, err)
		in := cryptobyte.String(set)
		list, err := certificates(&in)
		if ok {
			require.NoError(t, err, bits)
			require.Len(t, list, 1, bits)
		} else {
			require.ErrorContains(t, err, "RSA key", bits)
		}
	}
}
