package krb5

import (
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

// profile keeps the parsed configuration of a mechanism.
type profile struct {
	mu    sync.Mutex
	names string // of the files it was read from
	conf  *conf.Config
	state []fileState

	usable   []etype.ID   // see [Mechanism.enctypes]
	usableBy *conf.Config // whose usable are
}

// fileState is what changes when a file does.
type fileState struct {
	size    int64
	changed time.Time
	mode    os.FileMode
}

// settling is how long after a change a file may change again without another
// modification time, on the coarsest of file systems.
const settling = 2 * time.Second

// stat returns the state of a file, the zero state if there is none.
func stat(path string) fileState {
	i, err := os.Stat(path)
	if err != nil {
		return fileState{}
	}
	return fileState{i.Size(), i.ModTime(), i.Mode()}
}

// config returns the configuration as it is now: the files are looked at each
// time, and read again when the state of one of them has changed.
func (m *Mechanism) config() (*conf.Config, error) {
	p := &m.profile
	p.mu.Lock()
	defer p.mu.Unlock()
	if m.c.ConfigText != "" {
		if p.conf == nil {
			c, err := conf.Parse(m.c.ConfigText)
			if err != nil {
				return nil, err
			}
			p.conf = c
		}
		return p.conf, nil
	}
	names := m.c.ConfigPath
	if names == "" {
		names = m.c.Getenv("KRB5_CONFIG")
	}
	if p.conf != nil && p.names == names && p.fresh() {
		return p.conf, nil
	}
	paths := filepath.SplitList(names)
	if names == "" {
		paths = conf.Default(m.c.Getenv)
	}
	start := time.Now()
	c, err := conf.Load(paths...)
	if err != nil {
		return nil, err
	}
	for _, w := range c.Warnings() {
		m.c.Logger.Debug("value in the configuration ignored", "error", w)
	}
	p.conf, p.names, p.state = c, names, p.state[:0]
	for _, path := range c.Paths() {
		s := stat(path)
		if s.changed.After(start.Add(-settling)) { // perhaps while, or after, it was read
			s.size = -1 // as no file is: it will be read again
		}
		p.state = append(p.state, s)
	}
	return c, nil
}

// fresh reports whether no file has changed since it was read.
func (p *profile) fresh() bool {
	for i, path := range p.conf.Paths() {
		if stat(path) != p.state[i] {
			return false
		}
	}
	return true
}
