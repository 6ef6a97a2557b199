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

// rule is "[n:selection](expression)s/pattern/replacement/g…", all parts of
// which may be missing. Expressions are POSIX extended ones.
type rule struct {
	components int // -1: any number, and the selection is the principal without its realm
	selection  []part
	match      string // "" is everything
	replace    []replacement
}

// part is literal text or, for component ≥ 0, a component of the principal, 0
// being the realm.
type part struct {
	literal   string
	component int
}

type replacement struct {
	pattern, text string
	all           bool
}

func parseRule(text string) (*rule, error) {
	r := &rule{components: -1}
	rest := text
	var err error
	if after, ok := strings.CutPrefix(rest, "["); ok {
		if rest, err = r.parseSelection(after); err != nil {
			return nil, err
		}
	}
	if after, ok := strings.CutPrefix(rest, "("); ok {
		if r.match, rest, ok = strings.Cut(after, ")"); !ok {
			return nil, bad("expression without a closing parenthesis")
		}
	}
	for rest = strings.TrimLeft(rest, blank); rest != ""; rest = strings.TrimLeft(rest, blank) {
		fields := strings.SplitN(rest, "/", 4)
		if len(fields) != 4 || fields[0] != "s" {
			return nil, bad("text that is no replacement")
		}
		s := replacement{pattern: fields[1], text: fields[2]}
		rest, s.all = strings.CutPrefix(fields[3], "g")
		r.replace = append(r.replace, s)
	}
	return r, nil
}

const blank = " \t\n\v\f\r"

// parseSelection reads "n:text]" and returns what follows.
func (r *rule) parseSelection(s string) (rest string, err error) {
	number, s, ok := strings.Cut(s, ":")
	if r.components, err = strconv.Atoi(number); !ok || err != nil || r.components < 0 {
		return "", bad("no number of components in a selection")
	}
	for {
		i := strings.IndexAny(s, "$]")
		if i < 0 {
			return "", bad("selection without a closing bracket")
		}
		if i > 0 {
			r.selection = append(r.selection, part{literal: s[:i], component: -1})
		}
		end := s[i] == ']'
		if s = s[i+1:]; end {
			return s, nil
		}
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		n, err := strconv.Atoi(s[:digits])
		if err != nil || n > r.components {
			return "", bad("no such component in a selection")
		}
		r.selection = append(r.selection, part{component: n})
		s = s[digits:]
	}
}

// apply returns the user, and whether the rule fits the principal. An expression
// that does not compile fits nothing.
func (r *rule) apply(p principal.Name) (string, bool, error) {
	if r.components >= 0 && r.components != len(p.Components) {
		return "", false, nil
	}
	text := r.selected(p)
	// What "." stands for in a line break is where libraries differ.
	if strings.ContainsAny(text, "\n\x00") {
		return "", false, nil
	}
	if r.match != "" {
		e, err := regexp.CompilePOSIX(r.match)
		if err != nil {
			return "", false, nil
		}
		if at := e.FindStringIndex(text); at == nil || at[0] != 0 || at[1] != len(text) {
			return "", false, nil
		}
	}
	for _, s := range r.replace {
		e, err := regexp.CompilePOSIX(s.pattern)
		if err != nil {
			return "", false, nil
		}
		if text, err = s.apply(e, text); err != nil {
			return "", false, err
		}
	}
	return text, true, nil
}

func (r *rule) selected(p principal.Name) string {
	if r.components < 0 {
		return p.Short()
	}
	var b strings.Builder
	for _, s := range r.selection {
		switch {
		case s.component < 0:
			b.WriteString(s.literal)
		case s.component == 0:
			b.WriteString(p.Realm)
		default:
			b.WriteString(p.Components[s.component-1])
		}
	}
	return b.String()
}

// apply replaces the first match or all. As in MIT, what follows a match is
// looked at as a text of its own, at whose start "^" matches again.
func (s *replacement) apply(e *regexp.Regexp, text string) (string, error) {
	var b strings.Builder
	for {
		at := e.FindStringIndex(text)
		if at == nil {
			break
		}
		b.WriteString(text[:at[0]])
		b.WriteString(s.text)
		text = text[at[1]:]
		if b.Len() > maxText {
			return "", bad("replacements without end")
		}
		if !s.all {
			break
		}
		if at[1] == 0 {
			return "", bad("replacement of nothing, again and again")
		}
	}
	b.WriteString(text)
	if b.Len() > maxText {
		return "", bad("replacements without end")
	}
	return b.String(), nil
}
