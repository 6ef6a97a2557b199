package keytab

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// AddTo appends entries to a keytab file, named as in [Load], or makes one that
// only its owner may read. It takes an exclusive lock, as MIT's programs do, and
// waits for it while ctx lasts. Whatever happens on the way, the file keeps the
// entries that it had and holds each new one as a whole or not at all.
//
// The error is krberr KTFormat for an entry that the format cannot hold,
// KTNoWrite if the file cannot be written or is of version 1, and what [Parse]
// says of a malformed file.
func AddTo(ctx context.Context, name string, entries ...Entry) error {
	for _, e := range entries {
		if err := check(e); err != nil {
			return err
		}
	}
	path, err := Path(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		err = f.Close()
	case errors.Is(err, fs.ErrExist):
		err = nil
	}
	if err != nil {
		return noWrite(err)
	}
	return update(ctx, path, func(f *os.File, l *layout) error {
		for _, e := range entries {
			b := e.appendRecord(nil)
			err := commit(f, b, l.end+versionSize)
			l.end += len(b)
			clear(b)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// commit writes a record so that it counts only when it is complete: its length,
// until then 0, is the end of the file.
func commit(f *os.File, record []byte, at int) error {
	head := [4]byte(record)
	clear(record[:4])
	// What follows a length of 0 is nobody's, and what is behind the record
	// would be taken for one.
	if err := f.Truncate(int64(at)); err != nil {
		return err
	}
	_, err := f.WriteAt(record, int64(at))
	if err == nil {
		_, err = f.WriteAt(head[:], int64(at))
	}
	if err != nil {
		return errors.Join(err, f.Truncate(int64(at)))
	}
	return nil
}

// RemoveFrom takes the entries for which match returns true out of a keytab
// file, named as in [Load], and returns how many there were. It locks the file
// as [AddTo] does, overwrites each entry with zeros and leaves a hole. The errors
// are those of AddTo, and krberr KTNotFound if there is no such file.
func RemoveFrom(ctx context.Context, name string, match func(*Entry) bool) (int, error) {
	path, err := Path(name)
	if err != nil {
		return 0, err
	}
	n := 0
	err = update(ctx, path, func(f *os.File, l *layout) error {
		for i := range l.keytab.entries {
			e := l.keytab.entries[i]
			if !match(&e) {
				continue
			}
			if err := hole(f, l.start[i]+versionSize); err != nil {
				return err
			}
			n++
		}
		return nil
	})
	return n, err
}

// hole makes a record a hole, and then its bytes zeros.
func hole(f *os.File, at int) error {
	var head [4]byte
	if _, err := f.ReadAt(head[:], int64(at)); err != nil {
		return err
	}
	size := int32(binary.BigEndian.Uint32(head[:]))
	binary.BigEndian.PutUint32(head[:], uint32(-size))
	if _, err := f.WriteAt(head[:], int64(at)); err != nil {
		return err
	}
	_, err := f.WriteAt(make([]byte, size), int64(at+4))
	return err
}

// versionSize is the number of bytes before the first record.
const versionSize = 2

// update calls change with a locked file and what is in it.
func update(ctx context.Context, path string, change func(*os.File, *layout) error) error {
	f, err := fileio.OpenUpdate(ctx, path)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return ioError(err)
		}
		return noWrite(err)
	}
	err = updateLocked(f, change)
	if e := f.Close(); err == nil && e != nil {
		err = noWrite(e)
	}
	return err
}

func updateLocked(f *os.File, change func(*os.File, *layout) error) error {
	b, err := fileio.Read(f, maxFile)
	if err != nil {
		return ioError(err)
	}
	defer clear(b)
	version := binary.BigEndian.AppendUint16(nil, version2)
	if len(b) == 0 { // just made
		if _, err := f.WriteAt(version, 0); err != nil {
			return noWrite(err)
		}
		b = version
	}
	if !bytes.HasPrefix(b, version) {
		if _, err := Parse(b); err != nil {
			return fmt.Errorf("%s: %w", f.Name(), err)
		}
		return fmt.Errorf("%w: %s: version 1 is not written", krberr.KTNoWrite, f.Name())
	}
	l, err := scan(b[versionSize:], binary.BigEndian, false)
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	if err := change(f, l); err != nil {
		return noWrite(err)
	}
	return nil
}

func noWrite(err error) error { return fmt.Errorf("%w: %w", krberr.KTNoWrite, err) }
