package kdcclient

import (
	"fmt"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// keyInfo says how the client's key is made from a password (RFC 4120
// §5.2.7.5). It is comparable.
type keyInfo struct {
	etype     etype.ID
	salt      string
	params    string
	hasParams bool
}

// usable reports whether the client asked for the type and can have a key of
// it.
func (l *login) usable(id etype.ID) bool {
	return slices.Contains(l.etypes, id) && (l.r.Key == nil || slices.Contains(l.r.KeyTypes, id))
}

// methodOf reads what the KDC says about the client's key: ETYPE-INFO2 counts
// before ETYPE-INFO, and that before PW-SALT (RFC 4120 §5.2.7.5). Of the types
// in a list it takes the one that the client likes best, or want if that is not
// nil.
func (l *login) methodOf(padata []wire.PAData, want *etype.ID) (keyInfo, error) {
	var entries []keyInfo
	if pa, ok := find(padata, wire.PAETypeInfo2); ok {
		list, err := wire.ParseETypeInfo2(pa.Value)
		if err != nil {
			return keyInfo{}, fmt.Errorf("%w: ETYPE-INFO2: %w", krberr.KDCRepModified, err)
		}
		for _, e := range list {
			k := keyInfo{etype: e.Etype, salt: l.client.Salt(), params: string(e.Params), hasParams: e.Params != nil}
			if e.Salt != nil {
				k.salt = *e.Salt
			}
			entries = append(entries, k)
		}
	} else if pa, ok := find(padata, wire.PAETypeInfo); ok {
		list, err := wire.ParseETypeInfo(pa.Value)
		if err != nil {
			return keyInfo{}, fmt.Errorf("%w: ETYPE-INFO: %w", krberr.KDCRepModified, err)
		}
		for _, e := range list {
			k := keyInfo{etype: e.Etype, salt: l.client.Salt()}
			if e.Salt != nil {
				k.salt = string(e.Salt)
			}
			entries = append(entries, k)
		}
	} else {
		salt := l.client.Salt()
		if pa, ok := find(padata, wire.PAPWSalt); ok {
			salt = string(pa.Value)
		} else if want != nil && l.method.etype == *want {
			return l.method, nil
		}
		for _, id := range l.etypes {
			entries = append(entries, keyInfo{etype: id, salt: salt})
		}
	}
	if len(entries) == 0 {
		return keyInfo{}, fmt.Errorf("%w: the KDC's list of key types is empty", krberr.KDCRepModified)
	}
	for _, id := range l.etypes {
		if want != nil && id != *want || !l.usable(id) {
			continue
		}
		if i := slices.IndexFunc(entries, func(k keyInfo) bool { return k.etype == id }); i >= 0 {
			return entries[i], nil
		}
	}
	if want != nil && l.usable(*want) {
		// The reply's list is advice that leaves this type out.
		if l.method.etype == *want {
			return l.method, nil
		}
		return keyInfo{etype: *want, salt: l.client.Salt()}, nil
	}
	if l.r.Key != nil {
		return keyInfo{}, fmt.Errorf("%w: no key of an encryption type that the KDC has for the client", krberr.KTNotFound)
	}
	return keyInfo{}, fmt.Errorf("%w: the KDC has no key of the client of a type that is allowed here", krberr.ProgEtypeNosupp)
}

// clientKey returns the client's key. kvno picks one of a keytab; 0, or a
// number that the keytab lacks, is the newest. The last key is kept, since
// string-to-key is slow on purpose.
func (l *login) clientKey(from keyInfo, kvno uint32) (*enctype.Key, error) {
	if l.key != nil && l.keyFrom == from && l.keyKvno == kvno {
		return l.key, nil
	}
	var key *enctype.Key
	var err error
	if l.r.Key != nil {
		key, err = l.r.Key(from.etype, kvno)
		if err != nil && kvno != 0 {
			key, err = l.r.Key(from.etype, 0)
		}
	} else {
		var params []byte
		if from.hasParams {
			params = []byte(from.params)
		}
		key, err = enctype.StringToKey(from.etype, l.r.Password(), from.salt, params)
		kvno = 0 // a password has one version
	}
	if err != nil {
		return nil, err
	}
	if key == nil || key.Enctype() != from.etype {
		return nil, fmt.Errorf("%w: the key is not of the type %s", krberr.BadEnctype, from.etype)
	}
	l.key, l.keyFrom, l.keyKvno = key, from, kvno
	return key, nil
}
