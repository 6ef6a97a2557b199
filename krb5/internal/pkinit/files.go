package pkinit

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxFile is the size in bytes above which no file is read.
const maxFile = 4 << 20

// LoadLists reads the revocation lists that a value of pkinit_revoke names, as
// LoadCertificates does; in a directory their names end in .crl, .pem or ".r0".
func LoadLists(name string) ([]*x509.RevocationList, error) {
	return load(name, "X509 CRL", []string{".crl", ".pem", ".r0"}, x509.ParseRevocationList)
}

// LoadCertificates reads the certificates that a value of pkinit_anchors or
// pkinit_pool names: FILE:path, a file of PEM, or DIR:path, a directory of such
// files with names that end in .crt, .pem or in ".0" as OpenSSL's do. A path
// alone is a file.
func LoadCertificates(name string) ([]*x509.Certificate, error) {
	return load(name, "CERTIFICATE", []string{".crt", ".pem", ".0"}, x509.ParseCertificate)
}

// load reads the blocks of one type that a name stands for.
func load[T any](name, block string, extensions []string, parse func([]byte) (T, error)) ([]T, error) {
	kind, path, ok := strings.Cut(name, ":")
	if !ok || strings.HasPrefix(name, "/") {
		kind, path = "FILE", name
	}
	switch kind {
	case "FILE":
		return loadFile(path, block, parse)
	case "DIR":
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		var list []T
		for _, e := range entries {
			if !slices.Contains(extensions, filepath.Ext(e.Name())) {
				continue
			}
			more, err := loadFile(filepath.Join(path, e.Name()), block, parse)
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		return list, nil
	}
	return nil, fmt.Errorf("pkinit: a source of the kind %q; there are FILE and DIR", kind)
}

// loadFile reads the blocks of one type from a file of PEM, at least one.
func loadFile[T any](path, typ string, parse func([]byte) (T, error)) ([]T, error) {
	s, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if s.Size() > maxFile {
		return nil, fmt.Errorf("pkinit: %s is too large", path)
	}
	rest, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var list []T
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != typ {
			continue
		}
		c, err := parse(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("pkinit: %s: %w", path, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("pkinit: no %s in %s", typ, path)
	}
	return list, nil
}
