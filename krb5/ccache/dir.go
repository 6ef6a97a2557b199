package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// A directory of caches has them in files whose names begin with cachePrefix.
// The file primaryFile has one line, the name of the primary; without it that is
// cachePrefix.
const (
	primaryFile = "primary"
	cachePrefix = "tkt"
	maxPrimary  = 63 // bytes in the line, which MIT's programs read
)

// dir is a collection in a directory.
type dir struct{ path string }

var _ Collection = (*dir)(nil)

// openDir returns the collection, or for ":path" the cache of one.
func openDir(rest string) (Collection, error) {
	path, ok := strings.CutPrefix(rest, ":")
	if !ok {
		return &dir{filepath.Clean(rest)}, nil
	}
	parent, file := filepath.Split(path)
	if parent == "" || !strings.HasPrefix(file, cachePrefix) {
		return nil, fmt.Errorf("%w: DIR::%s is not a path that ends in /%s…", krberr.CCBadName, path, cachePrefix)
	}
	d := &dir{filepath.Clean(parent)}
	return NewSingle(d.cache(file)), nil
}

// Name implements [Collection].
func (d *dir) Name() string { return "DIR:" + d.path }

// cache returns the cache in a file of the directory.
func (d *dir) cache(file string) *dirFile {
	return &dirFile{File{filepath.Join(d.path, file), "DIR::"}}
}

// Caches implements [Collection].
func (d *dir) Caches(ctx context.Context) ([]Cache, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	files, err := os.ReadDir(d.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, d.notDir(err)
	}
	var names []string
	for _, f := range files {
		if strings.HasPrefix(f.Name(), cachePrefix) && !f.IsDir() {
			names = append(names, f.Name())
		}
	}
	// A primary that cannot be read leaves the others in place.
	primary, _ := d.primary()
	var list []Cache
	for _, n := range primaryFirst(names, primary) {
		list = append(list, d.cache(n))
	}
	return list, nil
}

// Primary implements [Collection]. The error is krberr CCFormat if the file that
// names it is malformed, or the directory is none.
func (d *dir) Primary(ctx context.Context) (Cache, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	name, err := d.primary()
	if err != nil {
		return nil, err
	}
	return d.cache(name), nil
}

func (d *dir) primary() (string, error) {
	path := filepath.Join(d.path, primaryFile)
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return cachePrefix, nil
	}
	if err != nil {
		return "", d.notDir(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxPrimary {
		return "", fmt.Errorf("%w: %s does not name a cache", krberr.CCFormat, path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", ioError(krberr.CCIO, err)
	}
	name, err := parsePrimary(b)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return name, nil
}

// parsePrimary reads the file that names the primary.
func parsePrimary(b []byte) (string, error) {
	name, ok := strings.CutSuffix(string(b), "\n")
	if !ok || len(b) > maxPrimary || !validFile(name) {
		return "", fmt.Errorf("%w: not the name of a cache in a directory", krberr.CCFormat)
	}
	return name, nil
}

// validFile reports whether a file of the directory may have the name.
func validFile(name string) bool {
	return strings.HasPrefix(name, cachePrefix) && !strings.ContainsAny(name, "/\\\n\r\x00") && len(name) < maxPrimary
}

// Switch implements [Collection].
func (d *dir) Switch(ctx context.Context, c Cache) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	path, ok := strings.CutPrefix(c.Name(), "DIR::")
	if parent, file := filepath.Split(path); ok && filepath.Clean(parent) == d.path && validFile(file) {
		if err := fileio.Replace(filepath.Join(d.path, primaryFile), []byte(file+"\n")); err != nil {
			return ioError(krberr.CCWrite, err)
		}
		return nil
	}
	return fmt.Errorf("%w: %s is not in %s", krberr.CCBadName, c.Name(), d.Name())
}

// New implements [Collection].
func (d *dir) New(ctx context.Context, c *Contents) (Cache, error) {
	if err := checked(c); err != nil {
		return nil, err
	}
	if err := d.make(); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(d.path, cachePrefix+"*")
	if err != nil {
		return nil, ioError(krberr.CCWrite, err)
	}
	_ = f.Close() // it is there for its name alone
	cc := d.cache(filepath.Base(f.Name()))
	if err := cc.Init(ctx, c); err != nil {
		_ = os.Remove(f.Name()) // the first error says more
		return nil, err
	}
	return cc, nil
}

// make makes the directory, for its owner alone, unless there is one.
func (d *dir) make() error {
	err := os.Mkdir(d.path, 0o700)
	if errors.Is(err, fs.ErrExist) {
		err = nil
		if info, e := os.Stat(d.path); e != nil || !info.IsDir() {
			err = d.notDir(e)
		}
		return err
	}
	if err != nil {
		return ioError(krberr.CCWrite, err)
	}
	return nil
}

// notDir is what is wrong with the directory when err came of using it.
func (d *dir) notDir(err error) error {
	if info, e := os.Stat(d.path); e == nil && !info.IsDir() {
		return fmt.Errorf("%w: %s is not a directory", krberr.CCFormat, d.path)
	}
	return ioError(krberr.CCIO, err)
}

// dirFile is a cache in a file of a directory, which Init makes too.
type dirFile struct{ File }

var _ Cache = (*dirFile)(nil)

// Init implements [Cache].
func (f *dirFile) Init(ctx context.Context, c *Contents) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := checked(c); err != nil {
		return err
	}
	if err := (&dir{filepath.Dir(f.path)}).make(); err != nil {
		return err
	}
	return f.File.Init(ctx, c)
}
