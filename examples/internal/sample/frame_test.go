package sample_test

import (
	"bytes"
	"encoding/hex"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/examples/internal/sample"
)

// The first frames that MIT's gss-client 1.20 was seen to send.
func TestFrameOfMIT(t *testing.T) {
	for _, tt := range []struct {
		name  string
		wire  string
		flags sample.Flags
		token string
	}{
		{"context follows", "1100000000", sample.NOOP | sample.ContextNext, ""},
		{"unprotected message", "040000000568656c6c6f", sample.Data, "hello"},
		{"unwrapped message, wants a MIC", "c40000000568656c6c6f", sample.Data | sample.Encrypted | sample.SendMIC, "hello"},
		{"end", "0100000000", sample.NOOP, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire, err := hex.DecodeString(tt.wire)
			require.NoError(t, err)
			f, token, err := sample.Read(bytes.NewReader(wire))
			require.NoError(t, err)
			require.Equal(t, tt.flags, f)
			require.Equal(t, tt.token, string(token))
			var out bytes.Buffer
			require.NoError(t, sample.Write(&out, f, token))
			require.Equal(t, wire, out.Bytes())
		})
	}
}

func TestReadBad(t *testing.T) {
	for _, tt := range []struct {
		name, wire string
		want       error
	}{
		{"empty", "", io.EOF},
		{"short head", "0100", io.ErrUnexpectedEOF},
		{"short token", "0400000005ab", io.ErrUnexpectedEOF},
		{"no token", "0400ffffff", io.ErrUnexpectedEOF},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wire, err := hex.DecodeString(tt.wire)
			require.NoError(t, err)
			_, _, err = sample.Read(bytes.NewReader(wire))
			require.ErrorIs(t, err, tt.want)
		})
	}
	_, _, err := sample.Read(strings.NewReader("\x04\xff\xff\xff\xff"))
	require.ErrorContains(t, err, "too long")
	require.ErrorContains(t, sample.Write(io.Discard, sample.Data, make([]byte, sample.MaxToken+1)), "too long")
}

func TestFlagsString(t *testing.T) {
	require.Equal(t, "data|wrapped|encrypted|send-mic", sample.Flags(0xe4).String())
	require.True(t, sample.Flags(0xe4).Has(sample.Wrapped|sample.Encrypted))
	require.False(t, sample.Flags(0xa4).Has(sample.Wrapped|sample.Encrypted))
}

func FuzzRead(f *testing.F) {
	f.Add([]byte("\x04\x00\x00\x00\x05hello"))
	f.Add([]byte("\x11\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, wire []byte) {
		flags, token, err := sample.Read(bytes.NewReader(wire))
		if err != nil {
			return
		}
		var out bytes.Buffer
		require.NoError(t, sample.Write(&out, flags, token))
		require.Equal(t, wire[:out.Len()], out.Bytes())
	})
}
