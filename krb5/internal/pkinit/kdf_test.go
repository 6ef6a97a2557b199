package pkinit

import (
	"bufio"
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/hex"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// oidKDFSHA1 is the function of RFC 8636 that is not offered.
var oidKDFSHA1 = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 2, 3, 6, 1}

func vectorInput(id etype.ID) *KDFInput {
	server := principal.TGS("SU.SE", "SU.SE")
	server.Type = principal.TypePrincipal
	return &KDFInput{
		Secret: make([]byte, 256), Etype: id, Client: principal.New("SU.SE", "lha"), Server: server,
		Request: bytes.Repeat([]byte{0xaa}, 10), Reply: bytes.Repeat([]byte{0xbb}, 9),
	}
}

func TestKDFVectors(t *testing.T) {
	f, err := os.Open("testdata/rfc8636.txt")
	require.NoError(t, err)
	defer f.Close()
	count := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		if strings.HasPrefix(s.Text(), "#") {
			continue
		}
		count++
		p := strings.Fields(s.Text())
		id, err := strconv.Atoi(p[1])
		require.NoError(t, err)
		in := vectorInput(etype.ID(id))
		oid, hash := oidKDFSHA1, crypto.SHA1
		switch p[0] {
		case "sha256":
			oid, hash = kdfs[0].oid, crypto.SHA256
		case "sha512":
			oid, hash = kdfs[2].oid, crypto.SHA512
		}
		k, err := in.derive(oid, hash)
		require.NoError(t, err)
		require.Equal(t, p[2], hex.EncodeToString(k.Bytes()), s.Text())
	}
	require.Equal(t, 3, count)
}
