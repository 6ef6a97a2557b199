package ccache

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Names of keys and keyrings, which are MIT's.
const (
	keyringPrefix  = "_krb_"                 // of a collection's keyring, before its name
	keyringPersist = "_krb"                  // the collection in a persistent keyring
	keyPrimary     = "krb_ccache:primary"    // in a collection: the name of the primary
	keyPrincipal   = "__krb5_princ__"        // in a cache: whose it is
	keyOffsets     = "__krb5_time_offsets__" // in a cache: the KDC's clock, as in the FILE format
	keyUnique      = "krb_ccache_"           // of new caches, before random letters

	primaryVersion = 1 // of the payload of keyPrimary
)

// keyringName is the name of a collection of the KEYRING type, or of a cache in
// it.
type keyringName struct {
	anchor, collection string
	cache              string // "" for the collection
}

// parseKeyringName reads what follows "KEYRING:".
func parseKeyringName(rest string) (keyringName, error) {
	var n keyringName
	if strings.ContainsRune(rest, 0) {
		return n, fmt.Errorf("%w: NUL in a name", krberr.CCBadName)
	}
	parts := strings.SplitN(rest, ":", 3)
	switch len(parts) {
	case 1:
		n = keyringName{"legacy", parts[0], ""}
	case 2:
		n = keyringName{parts[0], parts[1], ""}
	case 3:
		n = keyringName{parts[0], parts[1], parts[2]}
		if n.cache == "" {
			return n, fmt.Errorf("%w: KEYRING:%s ends in a colon", krberr.CCBadName, rest)
		}
	}
	switch n.anchor {
	case "session", "user", "legacy":
	case "persistent":
		if _, err := n.uid(); err != nil {
			return n, err
		}
	case "process", "thread":
		return n, fmt.Errorf("%w: KEYRING:%s: the threads of a Go program have different %[2]s keyrings; use KEYRING:session: or ccache.NewMemory", krberr.CCNoSupp, n.anchor)
	default:
		return n, fmt.Errorf("%w: keyring %q; there are session, user, persistent and legacy", krberr.CCBadName, n.anchor)
	}
	return n, nil
}

// uid returns the user of a persistent keyring.
func (n keyringName) uid() (int, error) {
	if n.collection == "" {
		return os.Geteuid(), nil
	}
	uid, err := strconv.ParseUint(n.collection, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%w: %q is not the number of a user", krberr.CCBadName, n.collection)
	}
	return int(uid), nil
}

// String returns the name with the type in front.
func (n keyringName) String() string {
	s := "KEYRING:" + n.anchor + ":" + n.collection
	if n.cache != "" {
		s += ":" + n.cache
	}
	return s
}

// keyring returns the name of the keyring that holds the collection.
func (n keyringName) keyring() string {
	if n.anchor == "persistent" {
		return keyringPersist
	}
	return keyringPrefix + n.collection
}

// first returns the name of the cache that is primary before anyone chose.
func (n keyringName) first() string {
	if n.collection == "" {
		return cachePrefix
	}
	return n.collection
}

// isOld reports whether programs from before there were collections look for the
// cache, right in the session keyring.
func (n keyringName) isOld() bool { return n.anchor == "legacy" && n.cache == n.collection }

// parseKeyPrimary reads the payload that names a collection's primary.
func parseKeyPrimary(b []byte) (string, error) {
	r := reader{b: b}
	version := r.uint32()
	name := string(r.data())
	if r.err == nil && len(r.b) > 0 {
		r.err = errTrailing
	}
	switch {
	case r.err != nil:
		return "", fmt.Errorf("%w: name of the primary: %w", krberr.CCFormat, r.err)
	case version != primaryVersion:
		return "", fmt.Errorf("%w: name of the primary: version %d", krberr.CCFormat, version)
	case name == "" || strings.ContainsRune(name, 0):
		return "", fmt.Errorf("%w: name of the primary", krberr.CCFormat)
	}
	return name, nil
}

func appendKeyPrimary(dst []byte, name string) []byte {
	return appendData(binary.BigEndian.AppendUint32(dst, primaryVersion), name)
}

// parseKeyDescription reads the kernel's description of a key, "type; uid; gid;
// permissions; name" without the spaces.
func parseKeyDescription(text string) (kind, name string, ok bool) {
	parts := strings.SplitN(text, ";", 5)
	if len(parts) != 5 {
		return "", "", false
	}
	return parts[0], parts[4], true
}

// parseSerials reads the payload of a keyring: the serial numbers of its keys.
func parseSerials(b []byte) []int {
	var list []int
	for ; len(b) >= 4; b = b[4:] {
		list = append(list, int(int32(binary.NativeEndian.Uint32(b))))
	}
	return list
}

// addKey adds the payload of one of a cache's keys to the contents.
func (c *Contents) addKey(name string, payload []byte) error {
	switch name {
	case keyPrincipal:
		p, err := parsePrincipalData(payload)
		if err != nil {
			return fmt.Errorf("%w: principal %w", krberr.CCFormat, err)
		}
		c.Principal = p
	case keyOffsets:
		if len(payload) != 8 {
			return fmt.Errorf("%w: time offset of %d bytes", krberr.CCFormat, len(payload))
		}
		c.Header = append(c.Header, HeaderField{tagTimeOffset, append([]byte(nil), payload...)})
	default:
		e, err := parseCredential(payload)
		if err != nil {
			return fmt.Errorf("%w: credential %w", krberr.CCFormat, err)
		}
		if !e.isRemoved() {
			c.Entries = append(c.Entries, e)
		}
	}
	return nil
}
