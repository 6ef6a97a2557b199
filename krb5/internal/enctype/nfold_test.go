package enctype_test

import (
	"encoding/binary"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
)

// slowFold is n-fold with big numbers: rotate, concatenate, add modulo 2^n-1.
func slowFold(in []byte, size int) []byte {
	width := uint(8 * len(in))
	all, copies := new(big.Int), 1
	for copies*len(in)%size != 0 {
		copies++
	}
	for i := range copies {
		v := new(big.Int).SetBytes(in)
		r := uint(13*i) % width
		low := new(big.Int).And(v, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), r), big.NewInt(1)))
		v.Rsh(v, r).Or(v, low.Lsh(low, width-r))
		all.Lsh(all, width).Or(all, v)
	}
	mask := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*size)), big.NewInt(1))
	sum := new(big.Int)
	for all.Sign() > 0 {
		sum.Add(sum, new(big.Int).And(all, mask))
		all.Rsh(all, uint(8*size))
	}
	for sum.Cmp(mask) > 0 {
		sum.Add(new(big.Int).And(sum, mask), new(big.Int).Rsh(sum, uint(8*size)))
	}
	return sum.FillBytes(make([]byte, size))
}

func TestNFold(t *testing.T) {
	for n := 1; n <= 40; n++ {
		for _, size := range []int{1, 5, 7, 8, 16, 21, 24, 32} {
			in := bytesOf(n)
			require.Equal(t, slowFold(in, size), enctype.NFold(in, size), "%d to %d bytes", n, size)
		}
	}
	ones := []byte{0xff, 0xff, 0xff, 0xff, 0xff}
	require.Equal(t, slowFold(ones, 16), enctype.NFold(ones, 16))
	require.Equal(t, bytesOf(16), enctype.NFold(bytesOf(16), 16), "a constant of the block size is used unfolded")
}

func FuzzFoldUsage(f *testing.F) {
	f.Add(uint32(2), byte(0x99))
	f.Add(uint32(0), byte(0))
	f.Add(uint32(0xffffffff), byte(0xff))
	f.Add(uint32(0x7fffffff), byte(0xfe))
	f.Fuzz(func(t *testing.T, usage uint32, kind byte) {
		in := append(binary.BigEndian.AppendUint32(nil, usage), kind)
		require.Equal(t, enctype.NFold(in, 16), enctype.FoldUsage(usage, kind))
		require.Equal(t, slowFold(in, 16), enctype.FoldUsage(usage, kind))
	})
}
