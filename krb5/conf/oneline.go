package conf

import "strings"

// oneLine reads a block on one line, "A = { kdc = x admin_server = y }", which
// MIT takes for a string and people write nevertheless. A value goes up to the
// next word that "=" follows.
func (p *parser) oneLine(tag, body string, final bool) error {
	if strings.ContainsAny(body, "{}") {
		return bad("braces inside a block on one line")
	}
	if err := p.push(tag); err != nil {
		return err
	}
	b := p.open[len(p.open)-1]
	b.final = b.final || final
	for body = strings.Trim(body, blank); body != ""; {
		name, rest, ok := strings.Cut(body, "=")
		name = strings.TrimRight(name, blank)
		if !ok || name == "" || name == "*" || strings.ContainsAny(name, blank) || strings.IndexByte("#;[", name[0]) >= 0 {
			return bad("no relation in a block on one line")
		}
		rest = strings.TrimLeft(rest, blank)
		if rest == "" {
			return bad("relation without a value in a block on one line")
		}
		var value string
		if rest[0] == '"' {
			_, body = unquote(rest)
			value = rest[:len(rest)-len(body)]
		} else {
			n := nextRelation(rest)
			value, body = strings.TrimRight(rest[:n], blank), rest[n:]
			if value == "" {
				return bad("relation without a value in a block on one line")
			}
		}
		body = strings.TrimLeft(body, blank)
		p.add(name, value)
	}
	return p.pop("")
}

// nextRelation returns where in s the next "word =" starts, len(s) if there is
// none.
func nextRelation(s string) int {
	for i := 0; i < len(s); i++ {
		if s[i] != '=' {
			continue
		}
		end := len(strings.TrimRight(s[:i], blank))
		start := end
		for start > 0 && isWord(s[start-1]) {
			start--
		}
		if start < end && (start == 0 || strings.IndexByte(blank, s[start-1]) >= 0) {
			return start
		}
	}
	return len(s)
}

func isWord(c byte) bool {
	return c == '_' || c == '-' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
