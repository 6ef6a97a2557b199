package krb5

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

var _ mech.CredImporter = (*Mechanism)(nil)

// ImportCred implements [mech.CredImporter]. The token may come from MIT's
// library. Files that it names are looked at when the credential is used.
func (m *Mechanism) ImportCred(token []byte) (mech.Cred, error) {
	const op = "import_cred"
	c, err := m.importCred(token)
	if err != nil {
		return nil, fail(op, gsserr.ErrDefectiveToken, err)
	}
	return c, nil
}

func (m *Mechanism) importCred(token []byte) (*cred, error) {
	if len(token) > mech.MaxToken {
		return nil, errors.New("the token is too long")
	}
	var outer []json.RawMessage
	var magic string
	if err := json.Unmarshal(token, &outer); err != nil || len(outer) != 2 || json.Unmarshal(outer[0], &magic) != nil || magic != credMagic {
		return nil, errors.New("not an exported Kerberos credential")
	}
	r := reader{list: array(outer[1], credFields)}
	usage := mech.Usage(get[uint8](&r, fieldUsage))
	n := r.name(m, fieldName)
	anyName := get[bool](&r, fieldDefaultIdentity)
	c := &cred{m: m}
	if r.present(fieldEnctypes) {
		c.limit = []Enctype{}
		for _, id := range get[[]int32](&r, fieldEnctypes) {
			if id := Enctype(id); enctype.Supported(id) {
				c.limit = append(c.limit, id)
			}
		}
	}
	if usage.Accepts() && r.present(fieldKeytab) {
		c.acc = &keys{m: m, source: r.string(fieldKeytab)}
		if !anyName {
			c.acc.name = n
		}
		if r.present(fieldRCache) {
			c.acc.rcache = r.string(fieldRCache)
		}
	}
	if usage.Initiates() {
		t, err := m.importCache(&r)
		if err != nil {
			return nil, err
		}
		if r.present(fieldClientKeytab) {
			o := m.origin(mech.CredRequest{}, principal.Name{})
			o.keytab = r.string(fieldClientKeytab)
			t.from = o
		}
		c.init = t
	}
	switch {
	case r.bad || usage > mech.UsageAccept:
		return nil, errors.New("a field is missing or of another type")
	case usage.Accepts() != (c.acc != nil):
		return nil, errors.New("no keys for its usage")
	case get[bool](&r, fieldIAKERB):
		return nil, errors.New("a credential for IAKERB")
	}
	return c, nil
}

// importCache reads a cache: a name, or contents. None at all is MIT's way to say
// that a credential has yet to be looked for in the default place.
func (m *Mechanism) importCache(r *reader) (*tickets, error) {
	if !r.present(fieldCCache) {
		profile, err := m.config()
		if err != nil {
			return nil, err
		}
		file := m.c.CCache
		if file == "" {
			file, err = ccache.DefaultName(profile, m.c.Getenv)
		}
		return &tickets{m: m, named: file}, err
	}
	var list []json.RawMessage
	if json.Unmarshal(r.list[fieldCCache], &list) != nil {
		return &tickets{m: m, named: r.string(fieldCCache)}, nil
	}
	in := reader{list: list}
	if len(list) == 0 {
		return nil, errors.New("a cache without a principal")
	}
	p := in.principal(0)
	var entries []ccache.Credential
	for _, raw := range list[1:] {
		t := reader{list: array(raw, ticketFields)}
		entries = append(entries, t.ticket())
		in.bad = in.bad || t.bad
	}
	if in.bad {
		return nil, errors.New("a malformed ticket")
	}
	return &tickets{m: m, cache: ccache.NewMemory(p, entries...)}, nil
}

// reader reads the fields of a JSON array; the first that is wrong spoils it.
type reader struct {
	list []json.RawMessage
	bad  bool
}

// array returns the elements of an array of exactly n, nil for anything else.
func array(raw json.RawMessage, n int) []json.RawMessage {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) != n {
		return nil
	}
	return list
}

// get reads a field that is not null.
func get[T any](r *reader, i int) (v T) {
	if !r.present(i) || json.Unmarshal(r.list[i], &v) != nil {
		r.bad = true
	}
	return v
}

func (r *reader) present(i int) bool {
	return i < len(r.list) && string(bytes.TrimSpace(r.list[i])) != "null"
}

func (r *reader) string(i int) string { return get[string](r, i) }
func (r *reader) number(i int) int64  { return get[int64](r, i) }

func (r *reader) principal(i int) principal.Name {
	p, err := principal.Parse(r.string(i))
	r.bad = r.bad || err != nil || p.Realm == ""
	return p
}

// moment reads a time of 32 bits, 0 for none.
func (r *reader) moment(i int) time.Time {
	v := r.number(i)
	r.bad = r.bad || v < math.MinInt32 || v > math.MaxUint32
	if uint32(v) == 0 {
		return time.Time{}
	}
	return time.Unix(int64(uint32(v)), 0) // MIT's int32 turn negative in 2038
}

// name reads a name, nil if there is none.
func (r *reader) name(m *Mechanism, i int) *name {
	if !r.present(i) {
		return nil
	}
	in := reader{list: array(get[json.RawMessage](r, i), 3)}
	if !in.present(1) {
		n := m.wrap(in.principal(0))
		r.bad = r.bad || in.bad
		return n
	}
	text := in.string(1)
	if in.present(2) {
		text += "@" + in.string(2)
	}
	n, err := m.importName(text, oid.NTHostBased)
	r.bad = r.bad || in.bad || err != nil
	return n
}

// typed reads [number, bytes].
func (r *reader) typed(i int) (int32, []byte) {
	in := reader{list: array(get[json.RawMessage](r, i), 2)}
	typ, b := get[int32](&in, 0), get[[]byte](&in, 1)
	r.bad = r.bad || in.bad
	return typ, b
}

func (r *reader) ticket() ccache.Credential {
	var c ccache.Credential
	c.Client, c.Server = r.principal(ticketClient), r.principal(ticketServer)
	id, value := r.typed(ticketKey)
	c.Key = secret.Key{Enctype: etype.ID(id), Value: secret.New(value)}
	clear(value)
	c.AuthTime, c.StartTime = r.moment(ticketAuthTime), r.moment(ticketStart)
	c.EndTime, c.RenewTill = r.moment(ticketEnd), r.moment(ticketRenew)
	c.IsSKey, c.Flags = get[bool](r, ticketIsSKey), uint32(get[int32](r, ticketFlags))
	c.Ticket, c.SecondTicket = get[[]byte](r, ticketTicket), get[[]byte](r, ticketSecond)
	for i, add := range map[int]func(int32, []byte){
		ticketAddresses: func(t int32, b []byte) { c.Addresses = append(c.Addresses, ccache.Address{Type: t, Bytes: b}) },
		ticketAuthz:     func(t int32, b []byte) { c.AuthzData = append(c.AuthzData, ccache.AuthzDatum{Type: t, Data: b}) },
	} {
		if !r.present(i) {
			continue
		}
		in := reader{list: get[[]json.RawMessage](r, i)}
		for j := range in.list {
			add(in.typed(j))
		}
		r.bad = r.bad || in.bad
	}
	return c
}
