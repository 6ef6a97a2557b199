package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"syscall"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// File is a cache in a file, shared with other programs on the machine. Reading
// takes a shared lock, adding and removing an exclusive one, and a new cache is
// put in place by renaming it. Who may read the file is for the system to say:
// as in MIT, owner and mode are not looked at.
//
// A last entry that is cut short is what a program that was killed while it
// added it has left behind: it is not read, and the next entry takes its place.
//
// It is safe for concurrent use. Make it with [NewFile].
type File struct {
	path   string
	prefix string // of the name
}

var _ Cache = (*File)(nil)

// NewFile returns the cache at path, which need not exist.
func NewFile(path string) *File { return &File{path, "FILE:"} }

// Name implements [Cache].
func (f *File) Name() string { return f.prefix + f.path }

// Path returns the path of the file. Its state changes whenever the cache does.
func (f *File) Path() string { return f.path }

// Principal implements [Cache].
func (f *File) Principal(ctx context.Context) (Principal, error) {
	c, err := f.Load(ctx)
	if err != nil {
		return Principal{}, err
	}
	return c.Principal, nil
}

// Load implements [Cache].
func (f *File) Load(ctx context.Context) (*Contents, error) {
	file, err := fileio.Open(ctx, f.path, false)
	if err != nil {
		return nil, ioError(krberr.CCIO, err)
	}
	defer func() { _ = file.Close() }() // read only
	l, err := f.parse(file)
	if err != nil {
		return nil, err
	}
	return l.contents, nil
}

func (f *File) parse(file *os.File) (*layout, error) {
	b, err := fileio.Read(file, maxFile)
	if err != nil {
		return nil, ioError(krberr.CCIO, err)
	}
	defer clear(b)
	l, err := parseFile(b, true)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return l, nil
}

// locked calls change with the file, locked for nobody else to read or write,
// and with what is in it. The file appends what is written to it.
func (f *File) locked(ctx context.Context, change func(*os.File, *layout) error) error {
	file, err := fileio.Open(ctx, f.path, true)
	if err != nil {
		return ioError(krberr.CCIO, err)
	}
	// Changing what we cannot read would make it worse.
	l, err := f.parse(file)
	if err == nil {
		err = change(file, l)
	}
	if e := file.Close(); err == nil && e != nil {
		err = ioError(krberr.CCWrite, e)
	}
	return err
}

// Store implements [Cache] by appending to the file, in its version. The error
// is krberr CCWrite if that failed, and then the file is as long as it was;
// CCFormat if the file or an entry is malformed.
func (f *File) Store(ctx context.Context, entries ...Credential) error {
	if err := checkEntries(entries); err != nil {
		return err
	}
	return f.locked(ctx, func(file *os.File, l *layout) error { return f.append(file, l, entries) })
}

func (f *File) append(file *os.File, l *layout, entries []Credential) error {
	var added Contents
	added.store(entries...)
	var b []byte
	for i := range added.Entries {
		b = added.Entries[i].append(b, l.version)
	}
	defer clear(b)
	if l.end+len(b) > maxFile {
		return fmt.Errorf("%w: %s: cache is full", krberr.CCWrite, f.path)
	}
	if l.torn {
		if err := file.Truncate(int64(l.end)); err != nil {
			return ioError(krberr.CCWrite, err)
		}
	}
	if _, err := file.Write(b); err != nil {
		// Half an entry would be in the way of what other programs add.
		return ioError(krberr.CCWrite, errors.Join(err, file.Truncate(int64(l.end))))
	}
	// Only now, so that a full disk loses nothing.
	return f.overwrite(file, l, func(old *Credential) bool { return old.IsConf() && added.has(old.Server) })
}

// Remove implements [Cache] by overwriting the entries with ones that nobody
// looks for: the tickets' keys are in the file until Init or Destroy. The errors
// are those of Store.
func (f *File) Remove(ctx context.Context, match func(*Credential) bool) error {
	return f.locked(ctx, func(file *os.File, l *layout) error { return f.overwrite(file, l, match) })
}

// overwrite marks the entries of l that match as removed.
func (f *File) overwrite(file *os.File, l *layout, match func(*Credential) bool) (err error) {
	var w *os.File
	for i := range l.contents.Entries {
		e := &l.contents.Entries[i]
		if err != nil || !match(e) {
			continue
		}
		if w == nil {
			// The locked file appends, wherever it is told to write.
			if w, err = openSame(file, f.path); err != nil {
				break
			}
		}
		_, err = w.WriteAt(e.removed().append(nil, l.version), int64(l.start[i]))
	}
	if w != nil {
		if e := w.Close(); err == nil {
			err = e
		}
	}
	if err != nil {
		return ioError(krberr.CCWrite, err)
	}
	return nil
}

// openSame opens the file at path for writing if it is the one that is open.
func openSame(file *os.File, path string) (*os.File, error) {
	w, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	mine, err := file.Stat()
	if err == nil {
		var there fs.FileInfo
		if there, err = w.Stat(); err == nil && !os.SameFile(mine, there) {
			err = fmt.Errorf("%s was replaced", path)
		}
	}
	if err != nil {
		_ = w.Close() // nothing was written
		return nil, err
	}
	return w, nil
}

// Init implements [Cache]. The new file may be read by its owner alone. The
// error is krberr FCCPerm or CCWrite, CCFormat if an entry is malformed.
func (f *File) Init(ctx context.Context, c *Contents) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := checked(c); err != nil {
		return err
	}
	b := c.Append(nil)
	defer clear(b)
	if len(b) > maxFile {
		return fmt.Errorf("%w: %s: cache is full", krberr.CCWrite, f.path)
	}
	if err := fileio.Replace(f.path, b); err != nil {
		return ioError(krberr.CCWrite, err)
	}
	return nil
}

// Destroy implements [Cache]. The file is removed and then overwritten with
// zeros, unless what is removed is a link to it.
func (f *File) Destroy(ctx context.Context) error {
	info, err := os.Lstat(f.path)
	if err != nil {
		return ioError(krberr.CCIO, err)
	}
	if !info.Mode().IsRegular() {
		if info.IsDir() {
			return fmt.Errorf("%w: %s is a directory", krberr.FCCPerm, f.path)
		}
		return removed(os.Remove(f.path))
	}
	file, err := fileio.Open(ctx, f.path, true)
	if err != nil {
		return ioError(krberr.CCIO, err)
	}
	w, err := openSame(file, f.path)
	if err == nil {
		err = wipe(w, f.path)
	}
	if e := file.Close(); err == nil {
		err = e
	}
	return removed(err)
}

// wipe removes the file and overwrites it. A system that does not remove open
// files gets it the other way round.
func wipe(w *os.File, path string) error {
	info, err := w.Stat()
	removed := err == nil && os.Remove(path) == nil
	if err == nil {
		zeros := make([]byte, 4<<10)
		for at := int64(0); at < info.Size() && err == nil; at += int64(len(zeros)) {
			_, err = w.WriteAt(zeros[:min(int64(len(zeros)), info.Size()-at)], at)
		}
	}
	if e := w.Close(); err == nil {
		err = e
	}
	if removed {
		return err
	}
	return errors.Join(os.Remove(path), err)
}

func removed(err error) error {
	if err != nil {
		return ioError(krberr.CCWrite, err)
	}
	return nil
}

// ioError gives an error of the system its code.
func ioError(code krberr.Code, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = krberr.FCCNoFile
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		code = krberr.FCCPerm
	}
	return fmt.Errorf("%w: %w", code, err)
}

// check reports whether what is written for c could be read again.
func check(c *Credential) error {
	if err := checkName(c.Client); err != nil {
		return err
	}
	if err := checkName(c.Server); err != nil {
		return err
	}
	if c.isRemoved() {
		return fmt.Errorf("%w: ticket without an end time", krberr.CCFormat)
	}
	if !short(int32(c.Key.Enctype)) ||
		slices.ContainsFunc(c.Addresses, func(a Address) bool { return !short(a.Type) }) ||
		slices.ContainsFunc(c.AuthzData, func(a AuthzDatum) bool { return !short(a.Type) }) {
		return fmt.Errorf("%w: type number above 16 bits", krberr.CCFormat)
	}
	return nil
}

func short(n int32) bool { return n == int32(int16(n)) }

func checkName(p Principal) error {
	n := len(p.Realm)
	for _, c := range p.Components {
		n += len(c)
	}
	if n > principal.MaxBytes || len(p.Components) > principal.MaxComponents {
		return fmt.Errorf("%w: name too long", krberr.CCFormat)
	}
	return nil
}
