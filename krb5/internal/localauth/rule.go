package localauth

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// maxText bounds what a rule makes of a principal, in bytes. Replacements can
// double a text again and again.
const maxText = 64 << 10

const blank = " \t\n\v\f\r"

// byRule applies a rule, "[n:selection](expression)s/pattern/text/g…", all parts
// of which may be missing. It returns the user and whether the rule fits the
// principal. Expressions are POSIX extended ones; one that does not compile fits
// nothing.
//
// As in MIT the rule is read no further than it fits: what is wrong in it is an
// error for the principals that get there alone.
func byRule(rule string, p principal.Name) (user string, ok bool, err error) {
	text, rest, ok, err := selection(rule, p)
	if !ok || err != nil {
		return "", false, err
	}
	// What "." makes of a line break is where libraries differ.
	if strings.ContainsAny(text, "\n\x00") {
		return "", false, nil
	}
	if after, found := strings.CutPrefix(rest, "("); found {
		var match string
		if match, rest, found = strings.Cut(after, ")"); !found {
			return "", false, bad("expression without a closing parenthesis")
		}
		if !whole(match, text) {
			return "", false, nil
		}
	}
	for rest = strings.TrimLeft(rest, blank); rest != ""; rest = strings.TrimLeft(rest, blank) {
		fields := strings.SplitN(rest, "/", 4)
		if len(fields) != 4 || fields[0] != "s" {
			return "", false, bad("text that is no replacement")
		}
		e, err := regexp.CompilePOSIX(fields[1])
		if err != nil {
			return "", false, nil
		}
		var all bool
		rest, all = strings.CutPrefix(fields[3], "g")
		if text, err = replace(e, text, fields[2], all); err != nil {
			return "", false, err
		}
	}
	return text, true, nil
}

// selection returns the text that a rule works on, and the rest of the rule:
// with "[n:…]" for a principal of n components what stands there, $1 to $n being
// components and $0 the realm; without it the principal without its realm.
func selection(rule string, p principal.Name) (text, rest string, ok bool, err error) {
	s, ok := strings.CutPrefix(rule, "[")
	if !ok {
		return short(p), rule, true, nil
	}
	number, s, ok := strings.Cut(s, ":")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 {
		return "", "", false, bad("no number of components in a selection")
	}
	if n != len(p.Components) {
		return "", "", false, nil
	}
	var b strings.Builder
	for {
		i := strings.IndexAny(s, "$]")
		if i < 0 {
			return "", "", false, bad("selection without a closing bracket")
		}
		b.WriteString(s[:i])
		end := s[i] == ']'
		if s = s[i+1:]; end {
			return b.String(), s, true, nil
		}
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		k, err := strconv.Atoi(s[:digits])
		switch {
		case err != nil || k > n:
			return "", "", false, bad("no such component in a selection")
		case k == 0:
			b.WriteString(p.Realm)
		default:
			b.WriteString(p.Components[k-1])
		}
		if s = s[digits:]; b.Len() > maxText {
			return "", "", false, bad("selection too long")
		}
	}
}

// whole reports whether the expression matches the whole text.
func whole(expression, text string) bool {
	e, err := regexp.CompilePOSIX(expression)
	if err != nil {
		return false
	}
	at := e.FindStringIndex(text)
	return at != nil && at[0] == 0 && at[1] == len(text)
}

// replace replaces the first match or all. As in MIT, what follows a match is
// looked at as a text of its own, at whose start "^" matches again.
func replace(e *regexp.Regexp, text, by string, all bool) (string, error) {
	var b strings.Builder
	for {
		at := e.FindStringIndex(text)
		if at == nil {
			break
		}
		b.WriteString(text[:at[0]])
		b.WriteString(by)
		text = text[at[1]:]
		if b.Len() > maxText {
			return "", bad("replacements without end")
		}
		if !all {
			break
		}
		if at[1] == 0 { // MIT never ends
			return "", bad("replacement of nothing, again and again")
		}
	}
	b.WriteString(text)
	if b.Len() > maxText {
		return "", bad("replacements without end")
	}
	return b.String(), nil
}
