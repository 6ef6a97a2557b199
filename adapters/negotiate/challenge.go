package negotiate

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
)

// Authentication schemes. They are compared without regard to case (RFC 9110
// §11.1).
const (
	schemeNegotiate = "Negotiate" // RFC 4559: tokens of any mechanism
	schemeKerberos  = "Kerberos"  // of WinRM and others: tokens of Kerberos alone
)

// maxField is the size in bytes above which the fields of one name are refused
// unread. The tokens of Kerberos have some KiB, with many groups of Active
// Directory some ten; no known server takes more than 64 KiB.
const maxField = 256 << 10

var (
	errFieldSize = fmt.Errorf("the header field is longer than %d bytes", maxField)
	errField     = errors.New("malformed header field")
	errTwoTokens = errors.New("more than one token for a scheme")
	errToken     = errors.New("the token is not base64")
)

// checkSize refuses header fields that are too long.
func checkSize(values []string) error {
	n := 0
	for _, v := range values {
		if n += len(v); n > maxField {
			return errFieldSize
		}
	}
	return nil
}

// findChallenge looks for a scheme in the values of WWW-Authenticate or
// Proxy-Authenticate, which are lists of challenges (RFC 9110 §11.6.1), and
// returns its token, nil if it has none.
func findChallenge(values []string, scheme string) (token []byte, found bool, err error) {
	if err := checkSize(values); err != nil {
		return nil, false, err
	}
	for _, v := range values {
		inChallenge := false
		for v != "" {
			var element string
			if element, v, err = cutElement(v); err != nil {
				return nil, false, err
			}
			if element == "" {
				continue
			}
			name, rest := cutName(element)
			arg := strings.TrimLeft(rest, " \t")
			switch {
			case name == "":
				return nil, false, errField
			case strings.HasPrefix(arg, "="): // a parameter of the challenge before
				if !inChallenge {
					return nil, false, errField
				}
				continue
			case len(arg) == len(rest) && rest != "":
				return nil, false, errField
			}
			inChallenge = true
			if !strings.EqualFold(name, scheme) {
				continue
			}
			found = true
			if !isToken68(arg) {
				if _, value := cutName(arg); arg != "" && !strings.HasPrefix(strings.TrimLeft(value, " \t"), "=") {
					return nil, false, errField
				}
				continue // nothing, or a parameter
			}
			if token != nil {
				return nil, false, errTwoTokens
			}
			if token, err = decode(arg); err != nil {
				return nil, false, err
			}
		}
	}
	return token, found, nil
}

// findToken looks for a token alone, as in Authentication-Info.
func findToken(values []string, scheme string) ([]byte, error) {
	token, _, err := findChallenge(values, scheme)
	return token, err
}

// findCredentials returns the token of a request's Authorization field (RFC 9110
// §11.6.2), which is not a list. It is nil for another scheme, for none, and for
// no token.
func findCredentials(values []string) ([]byte, error) {
	if err := checkSize(values); err != nil {
		return nil, err
	}
	switch len(values) {
	case 0:
		return nil, nil
	case 1:
	default:
		return nil, errField
	}
	name, rest := cutName(values[0])
	arg := strings.Trim(rest, " \t")
	switch {
	case !strings.EqualFold(name, schemeNegotiate), rest == "":
		return nil, nil
	case rest[0] != ' ' && rest[0] != '\t':
		return nil, errField
	case arg == "":
		return nil, nil
	}
	return decode(arg)
}

// cutElement takes the first element off a list that is separated by commas.
// Commas in quoted strings are not separators.
func cutElement(v string) (element, rest string, err error) {
	quoted := false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ',' && !quoted:
			return strings.Trim(v[:i], " \t"), v[i+1:], nil
		}
	}
	if quoted {
		return "", "", errField
	}
	return strings.Trim(v, " \t"), "", nil
}

// cutName takes the token (RFC 9110 §5.6.2) off the front of an element.
func cutName(s string) (name, rest string) {
	i := 0
	for i < len(s) && isTokenByte(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isAlnum(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func isTokenByte(c byte) bool {
	return isAlnum(c) || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// isToken68 reports whether s is a token68 (RFC 9110 §11.2). It may still be
// something else than base64.
func isToken68(s string) bool {
	body := strings.TrimRight(s, "=")
	for i := 0; i < len(body); i++ {
		if !isAlnum(body[i]) && strings.IndexByte("-._~+/", body[i]) < 0 {
			return false
		}
	}
	return body != ""
}

// decode reads a token, which has exactly one form.
func decode(s string) ([]byte, error) {
	if strings.ContainsAny(s, "\r\n") { // which the decoder would skip
		return nil, errToken
	}
	token, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil || len(token) == 0 {
		return nil, errToken
	}
	return token, nil
}

// encode writes the value of a header field.
func encode(scheme string, token []byte) string {
	if len(token) == 0 {
		return scheme
	}
	b := make([]byte, 0, len(scheme)+1+base64.StdEncoding.EncodedLen(len(token)))
	b = append(append(b, scheme...), ' ')
	return string(base64.StdEncoding.AppendEncode(b, token))
}
