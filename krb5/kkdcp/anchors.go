package kkdcp

import (
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// maxAnchor is the size of the largest file with certificates, maxAnchors the
// number of files in a directory.
const (
	maxAnchor  = 4 << 20
	maxAnchors = 1024
)

// anchors reads the certificates of an http_anchors relation: FILE:, DIR: and
// ENV:, which names a variable with one of the others in it. nil is the system's
// roots, for no entries at all.
func anchors(entries []string, getenv func(string) string) (*x509.CertPool, error) {
	if len(entries) == 0 {
		return nil, nil
	}
	pool := x509.NewCertPool()
	for _, entry := range entries {
		if name, ok := strings.CutPrefix(entry, "ENV:"); ok {
			if entry = getenv(name); entry == "" {
				return nil, fmt.Errorf("http_anchors: the variable %s is not set", name)
			}
		}
		if err := addAnchors(pool, entry); err != nil {
			return nil, fmt.Errorf("http_anchors: %w", err)
		}
	}
	return pool, nil
}

func addAnchors(pool *x509.CertPool, entry string) error {
	if path, ok := strings.CutPrefix(entry, "FILE:"); ok {
		found, err := addFile(pool, path)
		if err == nil && !found {
			err = fmt.Errorf("%s: no certificate in it", path)
		}
		return err
	}
	dir, ok := strings.CutPrefix(entry, "DIR:")
	if !ok {
		return fmt.Errorf("%q begins with none of FILE:, DIR: and ENV: as it must", entry)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	some := false
	for _, f := range files[:min(len(files), maxAnchors)] {
		path := filepath.Join(dir, f.Name())
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			continue
		}
		found, err := addFile(pool, path)
		if err != nil {
			return err
		}
		some = some || found
	}
	if !some {
		return fmt.Errorf("%s: no certificate in it", dir)
	}
	return nil
}

func addFile(pool *x509.CertPool, path string) (found bool, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return false, err
	}
	if info.Size() > maxAnchor {
		return false, fmt.Errorf("%s: %d bytes", path, info.Size())
	}
	pem, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	return pool.AppendCertsFromPEM(pem), nil
}
