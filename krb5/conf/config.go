// Package conf reads Kerberos configuration: krb5.conf, as MIT defines it.
//
// [Load] reads files, [Parse] a text. A [Config] answers by path: the section,
// the blocks inside it, and the name of the relation.
//
//	c, err := conf.Load(conf.Default(os.Getenv)...)
//	realm := c.DefaultRealm()
//	kdcs := c.All("realms", realm, "kdc")
//
// Where a name has several values, the first one wins for what is a single
// value, and lists have them all. Sections and relations that nothing asks for
// are kept and do no harm.
package conf

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Config is a configuration. It does not change once it is made and is safe for
// concurrent use. A nil or zero Config is an empty one: every question gets its
// default.
type Config struct {
	root  *section
	paths []string
}

// Get returns the first value at path, and whether there is one.
func (c *Config) Get(path ...string) (string, bool) {
	if v := c.values(path); len(v) > 0 {
		return v[0], true
	}
	return "", false
}

// All returns every value at path in the order of the files, nil if there is
// none. The slice is the caller's.
func (c *Config) All(path ...string) []string { return slices.Clone(c.values(path)) }

// Sections returns the names of the blocks inside path in the order of the
// files; with no path, those of the sections. A block that appears several
// times is one.
func (c *Config) Sections(path ...string) []string {
	if s := c.find(path); s != nil {
		return slices.Clone(s.blockNames)
	}
	return nil
}

// Keys returns the names of the relations inside path in the order of the
// files, each once.
func (c *Config) Keys(path ...string) []string {
	if s := c.find(path); s != nil {
		return slices.Clone(s.valueNames)
	}
	return nil
}

// Bool returns the boolean at path, def if there is none or it is no boolean.
// The words are MIT's: y, yes, true, t, 1, on; n, no, false, nil, 0, off.
func (c *Config) Bool(def bool, path ...string) bool {
	if v, ok := c.Get(path...); ok {
		if b, ok := parseBool(v); ok {
			return b
		}
	}
	return def
}

// Int returns the decimal number at path, def if there is none or it is no
// number.
func (c *Config) Int(def int, path ...string) int {
	if v, ok := c.Get(path...); ok {
		if n, err := strconv.Atoi(v); err == nil {
			return n
		}
	}
	return def
}

// Duration returns the duration at path, def if there is none or
// [ParseDuration] cannot read it.
func (c *Config) Duration(def time.Duration, path ...string) time.Duration {
	if v, ok := c.Get(path...); ok {
		if d, err := ParseDuration(v); err == nil {
			return d
		}
	}
	return def
}

// Paths returns the files and folders that the configuration was looked for in,
// those that did not exist too: when the state of one of them changes, the
// configuration may have. It is nil for a parsed text.
func (c *Config) Paths() []string {
	if c == nil {
		return nil
	}
	return slices.Clone(c.paths)
}

// find returns the block at path, nil if there is none.
func (c *Config) find(path []string) *section {
	if c == nil {
		return nil
	}
	s := c.root
	for _, name := range path {
		if s == nil {
			return nil
		}
		s = s.blocks[name]
	}
	return s
}

// values returns the values at path, which must not be modified.
func (c *Config) values(path []string) []string {
	if len(path) == 0 {
		return nil
	}
	s := c.find(path[:len(path)-1])
	if s == nil {
		return nil
	}
	return s.values[path[len(path)-1]]
}

func parseBool(word string) (value, ok bool) {
	switch strings.ToLower(word) {
	case "y", "yes", "true", "t", "1", "on":
		return true, true
	case "n", "no", "false", "nil", "0", "off":
		return false, true
	}
	return false, false
}
