package conf

import (
	"fmt"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Limits on what is read.
const (
	maxFile   = 1 << 20 // bytes in a file
	maxLine   = 64 << 10
	maxBlocks = 32 // blocks inside each other
)

// blank is what C's isspace calls white space, without the newline.
const blank = " \t\v\f\r"

// Parse reads a configuration from text. Include lines need files and are
// errors here. An error is krberr ConfigBadFormat and names the line.
func Parse(text string) (*Config, error) {
	root := new(section)
	if err := parseText(root, "", text, nil); err != nil {
		return nil, err
	}
	return &Config{root: root}, nil
}

// parser is the state between the lines of one file. Files share the root and
// nothing else: a file cannot continue a block of the file that includes it.
type parser struct {
	root    *section
	open    []*section // the section, and the blocks open inside it
	pending string     // a relation that waits for "{" on a line of its own
	at      place      // the line
	include func(directive, path string) error
}

// parseText adds the text of file to root. include handles include lines; if it
// is nil they are errors.
func parseText(root *section, file, text string, include func(directive, path string) error) error {
	p := parser{root: root, at: place{file: file}, include: include}
	text = strings.TrimPrefix(text, "\ufeff")
	n := 0
	for line := range strings.SplitSeq(text, "\n") {
		n++
		p.at.line = n
		if err := p.line(line); err != nil {
			return at(file, n, err)
		}
	}
	if p.pending != "" {
		return at(file, n, fmt.Errorf("%w: relation without a value at the end", krberr.ConfigBadFormat))
	}
	// As in MIT, a block may be left open at the end of the file.
	return nil
}

// position is an error with the file and the line it stands at.
type position struct {
	file string // "" for a text
	line int
	err  error
}

func at(file string, line int, err error) error { return &position{file, line, err} }

func (e *position) Error() string {
	if e.file == "" {
		return fmt.Sprintf("line %d: %v", e.line, e.err)
	}
	return fmt.Sprintf("%s:%d: %v", e.file, e.line, e.err)
}

func (e *position) Unwrap() error { return e.err }

func bad(text string) error { return fmt.Errorf("%w: %s", krberr.ConfigBadFormat, text) }

func (p *parser) line(line string) error {
	if len(line) > maxLine {
		return bad("line too long")
	}
	if strings.IndexByte(line, 0) >= 0 {
		return bad("NUL byte")
	}
	line = strings.Trim(line, blank)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return nil
	}
	if p.pending != "" {
		if line != "{" {
			return bad("no value for the relation before, and no opening brace")
		}
		name := p.pending
		p.pending = ""
		return p.push(name)
	}
	if done, err := p.directive(line); done {
		return err
	}
	switch {
	case line[0] == '[':
		return p.header(line)
	case len(p.open) == 0:
		// MIT takes all that stands before the first section for a comment.
		return nil
	case line[0] == '}':
		return p.pop(line[1:])
	}
	return p.relation(line)
}

// directive handles include, includedir and module.
func (p *parser) directive(line string) (bool, error) {
	i := strings.IndexAny(line, blank)
	if i < 0 {
		return false, nil
	}
	word, rest := line[:i], strings.TrimLeft(line[i:], blank)
	if rest[0] == '=' {
		return false, nil
	}
	switch word {
	case "module":
		// It names a C library to read the configuration from.
		return true, nil
	case "include", "includedir":
		if p.include == nil {
			return true, bad(word + " in a text")
		}
		return true, p.include(word, rest)
	}
	return false, nil
}

// header reads "[name]" and "[name]*".
func (p *parser) header(line string) error {
	if len(p.open) > 1 {
		return bad("section inside a block")
	}
	name, rest, ok := strings.Cut(line[1:], "]")
	if !ok {
		return bad("section without a closing bracket")
	}
	s := p.root.block(name)
	if after, ok := strings.CutPrefix(rest, "*"); ok {
		s.final, rest = true, after
	}
	if strings.Trim(rest, blank) != "" {
		return bad("text after a section's name")
	}
	p.open = []*section{s}
	return nil
}

func (p *parser) push(tag string) error {
	if len(p.open) > maxBlocks {
		return bad("blocks too deep")
	}
	name, final := strings.CutSuffix(tag, "*")
	b := p.open[len(p.open)-1].block(name)
	b.final = b.final || final
	p.open = append(p.open, b)
	return nil
}

func (p *parser) pop(rest string) error {
	if len(p.open) < 2 {
		return bad("closing brace without an open block")
	}
	last := len(p.open) - 1
	if after, ok := strings.CutPrefix(rest, "*"); ok {
		p.open[last].final, rest = true, after
	}
	if rest = strings.TrimLeft(rest, blank); rest != "" && rest[0] != '#' && rest[0] != ';' {
		return bad("text after a closing brace")
	}
	p.open = p.open[:last]
	return nil
}

// relation reads "tag = value" and what opens a block.
func (p *parser) relation(line string) error {
	tag, value, ok := strings.Cut(line, "=")
	if !ok {
		return bad("neither a section, a relation nor a brace")
	}
	tag, value = strings.TrimRight(tag, blank), strings.TrimLeft(value, blank)
	if tag == "" || tag == "*" {
		return bad("relation without a name")
	}
	if strings.ContainsAny(tag, blank) {
		return bad("space in the name of a relation")
	}
	if value == "" {
		p.pending = tag
		return nil
	}
	if value[0] == '{' {
		inner := strings.Trim(value[1:], blank)
		if inner == "" {
			return p.push(tag)
		}
		body, closed := strings.CutSuffix(strings.TrimSuffix(inner, "*"), "}")
		switch {
		case closed && (strings.Contains(body, "=") || strings.Trim(body, blank) == ""):
			return p.oneLine(tag, body, strings.HasSuffix(inner, "*"))
		case strings.Contains(inner, "="):
			return bad("text after an opening brace")
		}
	}
	p.add(tag, value)
	return nil
}

// add stores a value in the innermost block.
func (p *parser) add(tag, value string) {
	if value != "" && value[0] == '"' {
		value, _ = unquote(value)
	}
	name, final := strings.CutSuffix(tag, "*")
	p.open[len(p.open)-1].add(name, value, p.at, final)
}

// unquote reads the quoted string that s starts with, and returns what comes
// after it. A missing end quote is no error, as in MIT.
func unquote(s string) (value, rest string) {
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return b.String(), s[i+1:]
		case c == '\\' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case 'b':
				b.WriteByte('\b')
			default:
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), ""
}
