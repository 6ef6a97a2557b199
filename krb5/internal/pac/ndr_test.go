package pac

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

// A count that doubles to nothing where int has 32 bits.
func TestTextCount(t *testing.T) {
	for _, count := range []uint32{1 << 31, 1<<31 + 1, 1<<32 - 1} {
		b := binary.LittleEndian.AppendUint32(nil, count)
		b = binary.LittleEndian.AppendUint32(b, 0)
		b = binary.LittleEndian.AppendUint32(b, count)
		n := &ndr{b: append(b, 'x', 0)}
		require.Empty(t, n.text(unicode{size: 400, some: true}))
		require.True(t, n.bad)
	}
}
