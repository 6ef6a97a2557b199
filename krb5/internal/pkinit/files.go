package pkinit

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxFile is the size in bytes above which no file of certificates is read.
const maxFile = 4 << 20

// LoadCertificates reads the certificates that a value of pkinit_anchors or
// pkinit_pool names: FILE:path, a file of PEM, or DIR:path, a directory of such
// files with names that end in .crt, .pem or in ".0" as OpenSSL's do. A path
// alone is a file.
func LoadCertificates(name string) ([]*x509.Certificate, error) {
	kind, path, ok := strings.Cut(name, ":")
	if !ok || strings.HasPrefix(name, "/") {
		kind, path = "FILE", name
	}
	switch kind {
	case "FILE":
		return loadFile(path)
	case "DIR":
		entries, err := os.ReadDir(path)
		if err != nil {
			return nil, err
		}
		var list []*x509.Certificate
		for _, e := range entries {
			switch filepath.Ext(e.Name()) {
			case ".crt", ".pem", ".0":
			default:
				continue
			}
			more, err := loadFile(filepath.Join(path, e.Name()))
			if err != nil {
				return nil, err
			}
			list = append(list, more...)
		}
		return list, nil
	}
	return nil, fmt.Errorf("pkinit: certificates of the kind %q; there are FILE and DIR", kind)
}

func loadFile(path string) ([]*x509.Certificate, error) {
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
	var list []*x509.Certificate
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("pkinit: %s: %w", path, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("pkinit: no certificate in %s", path)
	}
	return list, nil
}
