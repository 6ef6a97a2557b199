package krb5

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"time"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/principal"
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

var _ mech.Exporter = (*cred)(nil)

// Export implements [mech.Exporter] in MIT's JSON form. Keytabs and caches in
// files go by name, tickets in memory in full: the result is a secret. Keys in
// memory cannot be exported, and neither can the option oid.Krb5NoCIFlags, which
// is lost as it is with MIT.
func (c *cred) Export() ([]byte, error) {
	const op = "export_cred"
	f := make([]any, credFields)
	f[fieldUsage] = uint8(c.Usage())
	f[fieldIAKERB], f[fieldHaveTGT] = false, false
	f[fieldExpire], f[fieldRefresh] = 0, 0
	f[fieldDefaultIdentity] = c.acc != nil && c.acc.name == nil
	if c.limit != nil {
		f[fieldEnctypes] = c.limit
	}
	var self principal.Name // of the initiator
	if c.init != nil {
		contents, err := c.init.all(context.Background()) // in memory, or a local file
		if err != nil {
			return nil, fail(op, gsserr.ErrNoCred, err)
		}
		self = contents.Principal
		c.init.export(f, contents)
	}
	if c.acc != nil {
		if c.acc.fixed != nil {
			return nil, fail(op, gsserr.ErrUnavailable, errors.New("the keys are in memory"))
		}
		f[fieldKeytab] = c.acc.source
		if c.acc.rcache != "" {
			f[fieldRCache] = c.acc.rcache
		}
	}
	f[fieldName] = c.jsonName(self)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode([]any{credMagic, f}); err != nil {
		return nil, fail(op, gsserr.ErrFailure, err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// export fills in the fields of an initiator.
func (t *tickets) export(f []any, contents *ccache.Contents) {
	f[fieldHaveTGT] = ticketGranting(contents) != nil
	if end := expiry(contents); !end.IsZero() {
		f[fieldExpire] = end.Unix()
	}
	f[fieldCCache] = t.name()
	if _, ok := t.place().(*ccache.Memory); ok {
		list := []any{contents.Principal.String()}
		for i := range contents.Entries {
			list = append(list, jsonTicket(&contents.Entries[i]))
		}
		f[fieldCCache] = list
	}
	if by, ok := impersonator(contents); ok {
		f[fieldImpersonator] = by.String()
	}
	if v, ok := contents.Config(ccache.ConfRefreshTime, nil); ok {
		if n, err := strconv.ParseUint(string(v), 10, 32); err == nil {
			f[fieldRefresh] = n
		}
	}
	if t.from != nil && t.from.keytab != "" {
		f[fieldClientKeytab] = t.from.keytab
	}
}

// jsonName is the one name that MIT has for both uses: whose tickets they are,
// and what a host-based name to accept under was made of.
func (c *cred) jsonName(self principal.Name) any {
	f := []any{nil, nil, nil}
	if !self.IsZero() {
		f[0] = self.String()
	}
	switch {
	case c.acc == nil || c.acc.name == nil:
		if self.IsZero() {
			return nil
		}
	case c.acc.name.kind == kindHost:
		n := c.acc.name
		f[1] = n.service
		p := principal.New("", n.service, "")
		if n.host != "" {
			f[2] = n.host
			p = principal.New("", n.service, n.host)
		}
		if self.IsZero() {
			f[0] = p.String() + "@" // MIT's way to write a realm that is not known
		}
	case self.IsZero():
		f[0] = c.acc.name.p.String()
	}
	return f
}

func jsonTicket(c *ccache.Credential) any {
	f := make([]any, ticketFields)
	f[ticketClient], f[ticketServer] = c.Client.String(), c.Server.String()
	f[ticketKey] = []any{int32(c.Key.Enctype), bytesOf(c.Key.Value.Bytes())}
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
