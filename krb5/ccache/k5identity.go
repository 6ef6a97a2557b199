package ccache

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// maxIdentity is the largest .k5identity that is read, in bytes.
const maxIdentity = 1 << 20

// identity returns the client that the file .k5identity names for the server, if
// there is one. A file that the system does not let us read counts as none.
func identity(home string, server Principal, defaultRealm string) (Principal, bool, error) {
	if home == "" {
		return Principal{}, false, nil
	}
	path := filepath.Join(home, ".k5identity")
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return Principal{}, false, nil
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
		return Principal{}, false, nil
	}
	if err != nil {
		return Principal{}, false, ioError(krberr.CCIO, err)
	}
	defer func() { _ = f.Close() }() // read only
	b, err := fileio.Read(f, maxIdentity)
	if err != nil {
		return Principal{}, false, ioError(krberr.CCIO, err)
	}
	p, ok := parseIdentity(b, server, defaultRealm)
	return p, ok, nil
}

// parseIdentity returns the client of the first line that fits the server. A line
// is a principal and conditions, realm=, service= and host=, each with a pattern
// as in the shell; one that begins with "#" is a comment, and one that cannot be
// read fits nothing.
func parseIdentity(b []byte, server Principal, defaultRealm string) (Principal, bool) {
	lines := bufio.NewScanner(bytes.NewReader(b))
	lines.Buffer(nil, maxIdentity+1)
	for lines.Scan() {
		fields := strings.FieldsFunc(lines.Text(), func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) })
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		fits := true
		for _, f := range fields[1:] {
			fits = fits && condition(f, server)
		}
		if !fits {
			continue
		}
		p, err := principal.Parse(fields[0])
		if err != nil {
			continue
		}
		if p.Realm == "" {
			p.Realm = defaultRealm
		}
		return p, true
	}
	return Principal{}, false
}

// condition reports whether the server fulfils the condition. It fulfils none
// that is not known.
func condition(text string, server Principal) bool {
	name, pattern, ok := strings.Cut(text, "=")
	host := server.Type == principal.TypeSrvHst && len(server.Components) >= 2
	switch {
	case !ok:
		return false
	case name == "realm":
		return glob(pattern, server.Realm)
	case name == "service":
		return host && glob(pattern, server.Components[0])
	case name == "host":
		return host && glob(pattern, strings.ToLower(server.Components[1]))
	}
	return false
}

// glob reports whether s matches a pattern of the shell: "*" is any text, "?"
// any byte, "[a-z]" one of some, "[!a-z]" none of them, and "\" quotes.
func glob(pattern, s string) bool {
	star, from := -1, 0 // the last "*", and where what it stands for ends
	p, i := 0, 0
	for i < len(s) {
		if p < len(pattern) && pattern[p] == '*' {
			star, from = p, i
			p++
			continue
		}
		if n := globByte(pattern[p:], s[i]); n > 0 {
			p += n
			i++
			continue
		}
		if star < 0 {
			return false
		}
		from++
		p, i = star+1, from
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// globByte returns how much of the pattern matches the byte, 0 if it does not.
func globByte(pattern string, c byte) int {
	if pattern == "" {
		return 0
	}
	n := 1
	switch pattern[0] {
	case '?':
		return 1
	case '\\':
		if len(pattern) > 1 {
			pattern, n = pattern[1:], 2
		}
	case '[':
		if in, size, ok := globSet(pattern, c); ok {
			if in {
				return size
			}
			return 0
		}
	}
	if pattern[0] == c {
		return n
	}
	return 0
}

// globSet reads a set at the start of the pattern. Without its end it is none.
func globSet(pattern string, c byte) (in bool, size int, ok bool) {
	i, not := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		not = true
		i++
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return in != not, i + 1, true
		}
		if pattern[i] == '\\' && i+1 < len(pattern) {
			i++
		}
		low, high := pattern[i], pattern[i]
		i++
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			high = pattern[i+1]
			i += 2
		}
		in = in || low <= c && c <= high
	}
	return false, 0, false
}
