package conf

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Limits on what include lines lead to.
const (
	maxDepth = 10   // files inside each other
	maxFiles = 1000 // files in all
	maxTotal = 16 << 20
)

// Load reads files and merges them in order: values of an earlier file come
// first, and what it marks as final ("*") is not added to. As in MIT, a file
// that does not exist or may not be read is passed over, and with none left the
// configuration is empty. A file that an include line names must be readable.
//
// An error is krberr ConfigBadFormat or ConfigCantOpen and names the file and
// the line.
func Load(paths ...string) (*Config, error) {
	l := new(loader)
	root := new(section)
	for _, path := range paths {
		l.note(path)
		text, err := l.read(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		tree := new(section)
		if err := l.parse(tree, path, text, nil); err != nil {
			return nil, err
		}
		root.merge(tree)
	}
	return &Config{root: root, paths: l.paths}, nil
}

// loader counts what one Load reads.
type loader struct {
	paths        []string
	files, bytes int
}

func (l *loader) note(path string) {
	if !slices.Contains(l.paths, path) {
		l.paths = append(l.paths, path)
	}
}

// parse adds the text of path to root. stack has the files that include it.
func (l *loader) parse(root *section, path, text string, stack []string) error {
	stack = append(slices.Clip(stack), path)
	return parseText(root, path, text, func(directive, target string) error {
		if !filepath.IsAbs(target) && !strings.HasPrefix(target, "/") {
			return bad(directive + " of a path that is not absolute")
		}
		if directive == "include" {
			return l.include(root, target, stack)
		}
		l.note(target)
		names, err := os.ReadDir(target) // sorted
		if err != nil {
			return fmt.Errorf("%w: %w", krberr.ConfigCantOpen, err)
		}
		for _, e := range names {
			if !includable(e.Name()) || e.IsDir() {
				continue
			}
			if err := l.include(root, filepath.Join(target, e.Name()), stack); err != nil {
				return err
			}
		}
		return nil
	})
}

func (l *loader) include(root *section, path string, stack []string) error {
	if slices.Contains(stack, path) {
		return bad("include loop")
	}
	if len(stack) > maxDepth {
		return bad("includes too deep")
	}
	l.note(path)
	text, err := l.read(path)
	if err != nil {
		return err
	}
	return l.parse(root, path, text, stack)
}

func (l *loader) read(path string) (string, error) {
	// A pipe would keep us waiting. /dev/null is a usual way to say "none".
	info, err := os.Stat(path)
	if err == nil && info.Mode()&(fs.ModeDir|fs.ModeNamedPipe|fs.ModeSocket) != 0 {
		err = fmt.Errorf("%s: not a file", path)
	}
	if err != nil {
		return "", fmt.Errorf("%w: %w", krberr.ConfigCantOpen, err)
	}
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("%w: %w", krberr.ConfigCantOpen, err)
	}
	defer func() { _ = f.Close() }() // read only
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", fmt.Errorf("%w: %w", krberr.ConfigCantOpen, err)
	}
	l.files++
	l.bytes += len(b)
	if len(b) > maxFile || l.files > maxFiles || l.bytes > maxTotal {
		return "", fmt.Errorf("%w: %s: too much configuration", krberr.ConfigBadFormat, path)
	}
	return string(b), nil
}

// includable reports whether includedir reads a file: names of letters, digits,
// "-" and "_", and names that end in ".conf" and do not start with a dot. That
// leaves out what editors and package managers put beside it.
func includable(name string) bool {
	if strings.HasPrefix(name, ".") || name == "" {
		return false
	}
	return strings.HasSuffix(name, ".conf") || !strings.ContainsFunc(name, func(r rune) bool {
		return r > 0x7F || r == '.' || !isWord(byte(r))
	})
}
