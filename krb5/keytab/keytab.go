// Package keytab reads and writes key tables: the files in which services keep
// their long-term keys, in MIT's binary format.
//
// [Load] reads a file, [Keytab.Lookup] finds a key by name and version,
// [Keytab.Entries] gives all of them. No error and no printed value has key
// bytes in it.
package keytab

import (
	"fmt"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
)

// Principal is a principal name with its realm.
type Principal = principal.Name

// Key is a long-term key. It prints as "[redacted]".
type Key = secret.Key

// Enctype is the number of an encryption type.
type Enctype = etype.ID

// NewKey returns a key with a copy of value. Nothing is checked here: a value
// of the wrong size is an error where the key is used.
func NewKey(id Enctype, value []byte) Key { return Key{Enctype: id, Value: secret.New(value)} }

// ParsePrincipal reads the text form of a name, "HTTP/www.example.com@EXAMPLE.COM".
// Without a realm, Realm is empty. The error is krberr ParseMalformed.
func ParsePrincipal(text string) (Principal, error) { return principal.Parse(text) }

// Entry is one key of one principal. Treat it as read-only.
type Entry struct {
	Principal Principal
	// Kvno is the key's version number.
	Kvno uint32
	// Timestamp says when the key was written, in whole seconds up to the year
	// 2106; zero if that is not known.
	Timestamp time.Time
	Key       Key
}

// Keytab is a list of entries. The zero Keytab is empty and ready to use. It is
// safe for concurrent use as long as nobody adds to it.
type Keytab struct {
	entries []Entry
}

// Entries returns the entries in the order of the file. The slice is the
// caller's.
func (k *Keytab) Entries() []Entry { return slices.Clone(k.entries) }

// Add appends an entry. It is not safe for concurrent use. An entry that the
// format cannot hold is krberr KTFormat.
func (k *Keytab) Add(e Entry) error {
	if err := check(e); err != nil {
		return err
	}
	e.Key.Value = secret.New(e.Key.Value.Bytes())
	k.entries = append(k.entries, e)
	return nil
}

// Lookup returns the entry for a principal, realm included. Kvno 0 and etype 0
// stand for any.
//
// As in MIT, the first entry with exactly that kvno is taken, else the first
// whose kvno is the low 8 bits of it, which is all that old keytabs hold. For
// any kvno, and among entries whose kvno is 0, it is the newest.
//
// The error is krberr KTKvnoNotFound if only the kvno was wrong, else KTNotFound.
func (k *Keytab) Lookup(p Principal, kvno uint32, id Enctype) (Entry, error) {
	found, otherKvno := -1, false
	for i := range k.entries {
		e := &k.entries[i]
		if !e.Principal.Equal(p) || id != 0 && e.Key.Enctype != id {
			continue
		}
		if kvno == 0 || e.Kvno == 0 {
			if found < 0 || newer(e, &k.entries[found]) {
				found = i
			}
			continue
		}
		if e.Kvno == kvno {
			return *e, nil
		}
		if e.Kvno == kvno&0xFF && found < 0 {
			found = i
		} else {
			otherKvno = true
		}
	}
	switch {
	case found >= 0:
		return k.entries[found], nil
	case otherKvno:
		return Entry{}, fmt.Errorf("%w: %s, kvno %d", krberr.KTKvnoNotFound, p, kvno)
	}
	return Entry{}, fmt.Errorf("%w: %s", krberr.KTNotFound, p)
}

// newer reports whether a is newer than b: by kvno, except that a small kvno
// written no earlier than one near 255 has most likely wrapped around.
func newer(a, b *Entry) bool {
	if a.Kvno < 128 && b.Kvno > 240 && !b.Timestamp.After(a.Timestamp) {
		return true
	}
	if a.Kvno > 240 && b.Kvno < 128 && !a.Timestamp.After(b.Timestamp) {
		return false
	}
	return a.Kvno > b.Kvno
}
