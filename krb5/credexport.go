package krb5

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/mech"
)

// An exported credential is MIT's JSON: a magic word and an array whose fields
// have no names, so their order is the format. gssproxy and python-gssapi hand
// such tokens between processes.

const credMagic = "K5C1"

// Fields of the array.
const (
	fieldUsage = iota
	fieldName
	fieldImpersonator
	fieldDefaultIdentity
	fieldIAKERB
	fieldKeytab
	fieldRCache
	fieldCCache
	fieldClientKeytab
	fieldHaveTGT
	fieldExpire
	fieldRefresh
	fieldEnctypes
	fieldPassword
	credFields
)

// Fields of a ticket.
const (
	ticketClient = iota
	ticketServer
	ticketKey
	ticketAuthTime
	ticketStart
	ticketEnd
	ticketRenew
	ticketIsSKey
	ticketFlags
	ticketAddresses
	ticketTicket
	ticketSecond
	ticketAuthz
	ticketFields
)

var (
	_ mech.Exporter     = (*cred)(nil)
	_ mech.CredImporter = (*Mechanism)(nil)
)

// Export implements [mech.Exporter] in MIT's JSON form. Keytabs and caches in
// files go by name, tickets in memory in full: the result is a secret. Keys in
// memory cannot be exported.
func (c *cred) Export() ([]byte, error) {
	const op = "export_cred"
	f := make([]any, credFields)
	f[fieldUsage] = uint8(c.Usage())
	f[fieldDefaultIdentity], f[fieldIAKERB], f[fieldHaveTGT] = false, false, false
	f[fieldExpire], f[fieldRefresh] = 0, 0
	if c.acc != nil {
		if c.acc.fixed != nil {
			return nil, fail(op, gsserr.ErrUnavailable, errors.New("the keys are in memory"))
		}
		f[fieldKeytab] = c.acc.source
		if c.acc.rcache != "" {
			f[fieldRCache] = c.acc.rcache
		}
		if n := c.acc.name; n != nil {
			f[fieldName] = jsonName(n)
		}
	}
	if c.init != nil {
		contents, err := c.init.all(context.Background()) // in memory, or a local file
		if err != nil {
			return nil, fail(op, gsserr.ErrNoCred, err)
		}
		f[fieldName] = []any{contents.Principal.String(), nil, nil}
		f[fieldHaveTGT] = ticketGranting(contents) != nil
		f[fieldExpire] = expiry(contents).Unix()
		f[fieldCCache] = c.init.name()
		if _, ok := c.init.cache.(*ccache.Memory); ok {
			list := []any{contents.Principal.String()}
			for i := range contents.Entries {
				list = append(list, jsonTicket(&contents.Entries[i]))
			}
			f[fieldCCache] = list
		}
		if imp, ok := contents.Config(ccache.ConfProxyImpersonator, nil); ok {
			f[fieldImpersonator] = []any{string(imp), nil, nil}
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]any{credMagic, f}); err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// jsonName is a name: the principal, and what a host-based one was made of.
func jsonName(n *name) any {
	if n.kind != kindHost {
		return []any{n.p.String(), nil, nil}
	}
	p := principal.Name{Components: []string{n.service, n.host}}
	if n.host == "" {
		return []any{p.String() + "@", n.service, nil}
	}
	return []any{p.String() + "@", n.service, n.host}
}

func jsonTicket(c *ccache.Credential) any {
	f := make([]any, ticketFields)
	f[ticketClient], f[ticketServer] = c.Client.String(), c.Server.String()
	f[ticketKey] = []any{int32(c.Key.Enctype), c.Key.Value.Bytes()}
	for i, t := range map[int]time.Time{ticketAuthTime: c.AuthTime, ticketStart: c.StartTime, ticketEnd: c.EndTime, ticketRenew: c.RenewTill} {
		f[i] = int64(0)
		if !t.IsZero() {
			f[i] = int64(int32(uint32(t.Unix()))) // MIT's times have 32 bits
		}
	}
	f[ticketIsSKey], f[ticketFlags] = c.IsSKey, int32(c.Flags)
	f[ticketTicket], f[ticketSecond] = bytesOf(c.Ticket), bytesOf(c.SecondTicket)
	if len(c.Addresses) > 0 {
		var list []any
		for _, a := range c.Addresses {
			list = append(list, []any{a.Type, bytesOf(a.Bytes)})
		}
		f[ticketAddresses] = list
	}
	if len(c.AuthzData) > 0 {
		var list []any
		for _, a := range c.AuthzData {
			list = append(list, []any{a.Type, bytesOf(a.Data)})
		}
		f[ticketAuthz] = list
	}
	return f
}

// bytesOf keeps nil from becoming null: absent bytes are the empty string.
func bytesOf(b []byte) []byte { return append([]byte{}, b...) }

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
	usage := mech.Usage(r.number(fieldUsage))
	n := r.name(m, fieldName)
	c := &cred{m: m}
	if usage.Accepts() && r.present(fieldKeytab) {
		c.acc = &keys{m: m, name: n, source: r.string(fieldKeytab)}
		if r.present(fieldRCache) {
			c.acc.rcache = r.string(fieldRCache)
		}
	}
	if usage.Initiates() && r.present(fieldCCache) {
		t, err := m.importCache(&r)
		if err != nil {
			return nil, err
		}
		c.init = t
	}
	if r.bad || c.init == nil && c.acc == nil {
		return nil, errors.New("a field is missing or of another type")
	}
	return c, nil
}

func (m *Mechanism) importCache(r *reader) (*tickets, error) {
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

func get[T any](r *reader, i int) (v T) {
	if i >= len(r.list) || json.Unmarshal(r.list[i], &v) != nil {
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
	r.bad = r.bad || err != nil
	return p
}

// moment reads a time of 32 bits, 0 for none.
func (r *reader) moment(i int) time.Time {
	v := uint32(r.number(i))
	if v == 0 {
		return time.Time{}
	}
	return time.Unix(int64(v), 0)
}

// name reads a name, nil if there is none.
func (r *reader) name(m *Mechanism, i int) *name {
	if !r.present(i) {
		return nil
	}
	in := reader{list: array(get[json.RawMessage](r, i), 3)}
	n := &name{m: m}
	if in.present(1) {
		n.kind, n.service = kindHost, in.string(1)
		if in.present(2) {
			n.host = in.string(2)
		}
	} else {
		n.p = in.principal(0)
	}
	r.bad = r.bad || in.bad
	return n
}

// typed reads [number, bytes].
func (r *reader) typed(i int) (int32, []byte) {
	in := reader{list: array(get[json.RawMessage](r, i), 2)}
	typ, b := int32(in.number(0)), get[[]byte](&in, 1)
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
	c.IsSKey, c.Flags = get[bool](r, ticketIsSKey), uint32(r.number(ticketFlags))
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
