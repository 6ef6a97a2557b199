package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// File is a cache in a file, shared with other programs on the machine. Reading
// takes a shared lock, adding an exclusive one, and a new cache is put in place
// by renaming it. It is safe for concurrent use. Make it with [NewFile].
type File struct {
	loader
	path string
}

var _ Cache = (*File)(nil)

// NewFile returns the cache at path, which need not exist.
func NewFile(path string) *File {
	f := &File{path: path}
	f.loader.load = f.read
	return f
}

// Name implements [Cache].
func (f *File) Name() string { return "FILE:" + f.path }

func (f *File) read(ctx context.Context) (*Contents, error) {
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
	l, err := parseFile(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return l, nil
}

// Store implements [Cache] by appending to the file, in its version. The error
// is krberr CCWrite if that failed, and then the file is as long as it was;
// CCFormat if the file or an entry is malformed.
func (f *File) Store(ctx context.Context, entries ...Credential) error {
	for i := range entries {
		if err := check(&entries[i]); err != nil {
			return err
		}
	}
	file, err := fileio.Open(ctx, f.path, true)
	if err != nil {
		return ioError(krberr.CCIO, err)
	}
	err = f.append(file, entries)
	if e := file.Close(); err == nil && e != nil {
		err = ioError(krberr.CCWrite, e)
	}
	return err
}

func (f *File) append(file *os.File, entries []Credential) error {
	// Appending to what we cannot read would hide the new entries.
	l, err := f.parse(file)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err != nil {
		return ioError(krberr.CCIO, err)
	}
	var added Contents
	added.store(entries...)
	var b []byte
	for i := range added.Entries {
		b = added.Entries[i].append(b, l.version)
	}
	defer clear(b)
	if info.Size()+int64(len(b)) > maxFile {
		return fmt.Errorf("%w: %s: cache is full", krberr.CCWrite, f.path)
	}
	if _, err := file.Write(b); err != nil {
		// Half an entry would make the file unreadable.
		return ioError(krberr.CCWrite, errors.Join(err, file.Truncate(info.Size())))
	}
	// Only now, so that a full disk loses nothing.
	if err := f.overwrite(file, l, added.Entries); err != nil {
		return ioError(krberr.CCWrite, err)
	}
	return nil
}

// overwrite marks the configuration entries of l that the new ones replace as
// removed.
func (f *File) overwrite(file *os.File, l *layout, entries []Credential) error {
	replaced := func(old *Credential) bool {
		return old.IsConf() && slices.ContainsFunc(entries, func(e Credential) bool { return e.Server.Equal(old.Server) })
	}
	if !slices.ContainsFunc(l.contents.Entries, func(e Credential) bool { return replaced(&e) }) {
		return nil
	}
	// The locked file appends, wherever it is told to write.
	w, err := os.OpenFile(f.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	err = sameFile(w, file)
	for i := range l.contents.Entries {
		if e := &l.contents.Entries[i]; err == nil && replaced(e) {
			_, err = w.WriteAt(e.removed().append(nil, l.version), int64(l.start[i]))
		}
	}
	if e := w.Close(); err == nil {
		err = e
	}
	return err
}

func sameFile(a, b *os.File) error {
	ai, err := a.Stat()
	if err != nil {
		return err
	}
	bi, err := b.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(ai, bi) {
		return fmt.Errorf("%s was replaced", a.Name())
	}
	return nil
}

// Init implements [Cache]. The new file may be read by its owner alone. The
// error is krberr FCCPerm or CCWrite, CCFormat if an entry is malformed.
func (f *File) Init(ctx context.Context, p Principal, entries ...Credential) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := checkName(p); err != nil {
		return err
	}
	c := &Contents{Principal: p}
	for i := range entries {
		if err := check(&entries[i]); err != nil {
			return err
		}
	}
	c.store(entries...)
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

// ioError gives an error of the system its code.
func ioError(code krberr.Code, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist):
		code = krberr.FCCNoFile
	case errors.Is(err, fs.ErrPermission):
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
