package rcache

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// File is a Cache in a file that several processes share, in MIT's format
// file2: a random seed and then tables of records, each twice as long as the
// one before. A tag's place in a table is its hash under the seed. It is safe
// for concurrent use; every Add opens, locks and closes the file.
type File struct {
	path string
	skew time.Duration
}

// NewFile returns the cache at path, which is made when it is needed. skew is
// how long other processes that share it take a record to be alive.
func NewFile(path string, skew time.Duration) *File { return &File{path, skew} }

const (
	seedSize   = 16
	fileTag    = 12 // bytes of a tag that a record has
	recordSize = fileTag + 4
	// maxTables bounds how far a search goes: the last table has 2²² records.
	maxTables = 13
)

// Add implements [Cache].
func (c *File) Add(ctx context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	fresh, err := c.add(ctx, tag, seen, expires)
	if err != nil {
		return false, fmt.Errorf("%w: %w", krberr.RCIO, err)
	}
	return fresh, nil
}

func (c *File) add(ctx context.Context, tag []byte, seen, expires time.Time) (bool, error) {
	f, err := openOwn(c.path)
	if err != nil {
		return false, err
	}
	defer f.Close() // what was written is checked by Write
	if err := fileio.Lock(ctx, f, true); err != nil {
		return false, err
	}
	seed, err := readSeed(f)
	if err != nil {
		return false, err
	}
	var record [recordSize]byte
	copy(record[:fileTag], tag)
	// Other processes reckon from the time of storing; an authenticator from
	// the future must live longer than that.
	stored := expires.Add(-c.skew).Unix()
	if stored <= 0 || stored > math.MaxUint32 {
		return false, errors.New("time out of range")
	}
	binary.BigEndian.PutUint32(record[fileTag:], uint32(stored))

	place := int64(-1)
	start, records := int64(seedSize), int64(1023)
	for range maxTables {
		at := start + int64(sipHash(seed, record[:fileTag])%uint64(records))*recordSize
		pair := make([]byte, 2*recordSize)
		n, err := f.ReadAt(pair, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		full := true
		for i := range int64(2) {
			r := pair[i*recordSize : (i+1)*recordSize]
			time := int64(binary.BigEndian.Uint32(r[fileTag:]))
			if (i+1)*recordSize > int64(n) || time == 0 {
				full = false
				time = 0
			} else if bytes.Equal(r[:fileTag], record[:fileTag]) { // what was on the wire is no secret
				return false, nil
			}
			if place < 0 && (time == 0 || time+int64(c.skew/1e9) < seen.Unix()) {
				place = at + i*recordSize
			}
		}
		if !full {
			break
		}
		seed[0]++
		start += records * recordSize
		records = max(2*records, 2048)
	}
	if place < 0 {
		return false, ErrFull
	}
	_, err = f.WriteAt(record[:], place)
	return err == nil, err
}

// readSeed returns the file's seed, and makes one for an empty file.
func readSeed(f *os.File) (*[seedSize]byte, error) {
	var seed [seedSize]byte
	n, err := f.ReadAt(seed[:], 0)
	switch {
	case n == seedSize:
		return &seed, nil
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case n != 0:
		return nil, errors.New("damaged file")
	}
	_, _ = rand.Read(seed[:]) // never fails
	_, err = f.WriteAt(seed[:], 0)
	return &seed, err
}
