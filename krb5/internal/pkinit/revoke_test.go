package pkinit

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// list is a revocation list.
func list(t *testing.T, issuer *Identity, until time.Time, revoked ...*x509.Certificate) *x509.RevocationList {
	t.Helper()
	template := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: now.Add(-2 * time.Hour), NextUpdate: until}
	for _, c := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: c.SerialNumber, RevocationTime: now.Add(-time.Hour)})
	}
	ca := *issuer.Certificates[0]
	ca.KeyUsage |= x509.KeyUsageCRLSign // what it says is looked at when the list is
	der, err := x509.CreateRevocationList(rand.Reader, template, &ca, issuer.Signer)
	require.NoError(t, err)
	l, err := x509.ParseRevocationList(der)
	require.NoError(t, err)
	return l
}

func TestRevoked(t *testing.T) {
	signs := func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign }
	root, other := authorityWith(t, "root", nil, signs), authorityWith(t, "other", nil, signs)
	middle := authorityWith(t, "middle", root, signs)
	key := testKeys()["P-256"]
	kdcCert := certify(t, key, middle, kdc)
	soon, past := now.Add(time.Hour), now.Add(-time.Hour)
	lists := func(l ...*x509.RevocationList) []*x509.RevocationList { return l }
	for _, tt := range []struct {
		name    string
		lists   []*x509.RevocationList
		require bool
		want    error
	}{
		{"no list", nil, false, nil},
		{"no list, but one is needed", nil, true, ErrRevoked},
		{"not in it", lists(list(t, middle, soon)), true, nil},
		{"in it", lists(list(t, middle, soon, kdcCert)), false, ErrRevoked},
		{"in one of two", lists(list(t, middle, soon), list(t, middle, soon, kdcCert)), false, ErrRevoked},
		{"in an old one", lists(list(t, middle, past, kdcCert)), false, ErrRevoked},
		{"an old one is not enough", lists(list(t, middle, past)), true, ErrRevoked},
		{"an old one does when none is needed", lists(list(t, middle, past)), false, nil},
		{"somebody else's list", lists(list(t, other, soon, kdcCert)), false, nil},
		{"somebody else's list is not enough", lists(list(t, other, soon)), true, ErrRevoked},
		{"the authority in the middle", lists(list(t, root, soon, middle.Certificates[0])), false, ErrRevoked},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trust := &Trust{Anchors: pool(root.Certificates...), Lists: tt.lists, RequireLists: tt.require}
			err := trust.verify(&signedContent{Signer: kdcCert, Others: middle.Certificates}, realm, now)
			if tt.want == nil {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, tt.want)
			}
		})
	}
	// An anchor that is the KDC's own certificate.
	trust := &Trust{Anchors: pool(kdcCert)}
	require.NoError(t, trust.verify(&signedContent{Signer: kdcCert}, realm, now))
	trust.RequireLists = true
	require.ErrorIs(t, trust.verify(&signedContent{Signer: kdcCert}, realm, now), ErrRevoked)
}

func TestLoadLists(t *testing.T) {
	root := authorityWith(t, "root", nil, func(c *x509.Certificate) { c.KeyUsage |= x509.KeyUsageCRLSign })
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: list(t, root, now.Add(time.Hour)).Raw})
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.crl"), text, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "a.crt"), []byte("no list"), 0o600))
	for _, name := range []string{"DIR:" + dir, "FILE:" + filepath.Join(dir, "a.crl")} {
		got, err := LoadLists(name)
		require.NoError(t, err)
		require.Len(t, got, 1)
	}
	_, err := LoadLists("FILE:" + filepath.Join(dir, "a.crt"))
	require.Error(t, err)
}
