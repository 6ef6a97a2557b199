package pkinit

import (
	"bytes"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"
)

func number(t testing.TB, hex string) *big.Int {
	n, ok := new(big.Int).SetString(hex, 16)
	require.True(t, ok)
	return n
}

// The primes are those of RFC 3526: 2^n - 2^(n-64) - 1 + 2^64·([2^(n-130)·π] + c)
// and safe ones, of which 2 generates the large subgroup.
func TestPrimes(t *testing.T) {
	for _, tt := range []struct {
		text string
		bits uint
		c    int64
	}{{modp2048, 2048, 124476}, {modp4096, 4096, 240904}} {
		p, one := number(t, tt.text), big.NewInt(1)
		want := new(big.Int).Add(pi(tt.bits-130), big.NewInt(tt.c))
		want.Lsh(want, 64)
		want.Add(want, new(big.Int).Lsh(one, tt.bits))
		want.Sub(want, new(big.Int).Lsh(one, tt.bits-64))
		want.Sub(want, one)
		require.Zero(t, want.Cmp(p))
		q := new(big.Int).Rsh(p, 1)
		require.True(t, p.ProbablyPrime(1))
		require.True(t, q.ProbablyPrime(1))
		require.Zero(t, one.Cmp(new(big.Int).Exp(big.NewInt(2), q, p)))
	}
}

// pi returns [2^n·π], by Machin's formula.
func pi(n uint) *big.Int {
	const guard = 64
	arctan := func(x int64) *big.Int { // 2^(n+guard)·arctan(1/x)
		term := new(big.Int).Lsh(big.NewInt(1), n+guard)
		term.Quo(term, big.NewInt(x))
		sum, square := new(big.Int).Set(term), big.NewInt(x*x)
		for k := int64(1); term.Sign() != 0; k++ {
			term.Quo(term, square)
			part := new(big.Int).Quo(term, big.NewInt(2*k+1))
			if k%2 == 1 {
				part.Neg(part)
			}
			sum.Add(sum, part)
		}
		return sum
	}
	a, b := arctan(5), arctan(239)
	a.Mul(a, big.NewInt(4))
	a.Sub(a, b)
	a.Mul(a, big.NewInt(4))
	return a.Rsh(a, guard)
}

func TestExp(t *testing.T) {
	for _, text := range []string{modp2048, modp4096} {
		m, err := newModulus(text)
		require.NoError(t, err)
		p := number(t, text)
		top := new(big.Int).Sub(p, big.NewInt(1))
		for i, base := range []*big.Int{big.NewInt(2), big.NewInt(1), new(big.Int), top, new(big.Int).Rsh(p, 3), new(big.Int).SetBit(new(big.Int), 1024, 1)} {
			for _, e := range [][]byte{{0}, {1}, {2}, {0xff}, bytes.Repeat([]byte{0x9e}, 65), append(make([]byte, 30), 0x80, 1)} {
				want := new(big.Int).Exp(base, new(big.Int).SetBytes(e), p)
				got := m.bytes(m.exp(words(base.Bytes(), len(m.p)), e))
				require.Zero(t, want.Cmp(new(big.Int).SetBytes(got)), "base %d, exponent %x", i, e)
				require.Len(t, got, p.BitLen()/8)
			}
		}
		for _, y := range []*big.Int{new(big.Int), big.NewInt(1), top, p, new(big.Int).Add(p, big.NewInt(5))} {
			require.False(t, m.valid(words(y.Bytes(), len(m.p))), "%x", y)
		}
		for _, y := range []*big.Int{big.NewInt(2), new(big.Int).Sub(top, big.NewInt(1)), new(big.Int).Rsh(p, 9)} {
			require.True(t, m.valid(words(y.Bytes(), len(m.p))), "%x", y)
		}
	}
}

func FuzzExp(f *testing.F) {
	m, err := newModulus(modp2048)
	require.NoError(f, err)
	p := number(f, modp2048)
	f.Add([]byte{2}, []byte{1, 0})
	f.Add(bytes.Repeat([]byte{0xff}, 250), bytes.Repeat([]byte{0xff}, 8))
	f.Fuzz(func(t *testing.T, base, e []byte) {
		b := new(big.Int).Mod(new(big.Int).SetBytes(base[:min(len(base), 256)]), p)
		e = e[:min(len(e), 16)]
		want := new(big.Int).Exp(b, new(big.Int).SetBytes(e), p)
		if got := m.bytes(m.exp(words(b.Bytes(), len(m.p)), e)); want.Cmp(new(big.Int).SetBytes(got)) != 0 {
			t.Fatalf("%x to the power of %x", base, e)
		}
	})
}
