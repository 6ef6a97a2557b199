package kdcclient

import (
	"fmt"
	"slices"
	"time"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/secret"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// parseReply parses a KDC-REP of one type.
func parseReply(b []byte, typ wire.MsgType) (*wire.KDCRep, error) {
	rep, err := wire.ParseKDCRep(b)
	if err != nil {
		return nil, fmt.Errorf("%w: %v: %w", krberr.KDCRepModified, typ, err)
	}
	if rep.Type != typ {
		return nil, fmt.Errorf("%w: %v instead of %v", krberr.APMsgType, rep.Type, typ)
	}
	return rep, nil
}

// checkTimes compares the reply's times with the wishes of the request: nobody
// is to give more than was asked for (RFC 4120 §3.1.5).
func checkTimes(part *wire.EncKDCRepPart, options uint32, till, rtime time.Time) error {
	renewable := part.Flags&wire.FlagRenewable != 0
	switch {
	case !till.IsZero() && part.EndTime.After(till):
		return modified("it is valid for longer than was asked for")
	case renewable && options&wire.OptRenewable != 0 && !rtime.IsZero() && part.RenewTill.After(rtime):
		return modified("it is renewable for longer than was asked for")
	case renewable && options&wire.OptRenewable == 0 && options&wire.OptRenewableOK != 0 && !till.IsZero() && part.RenewTill.After(till):
		return modified("it is renewable for longer than the lifetime that was asked for")
	}
	return nil
}

// credential copies what a reply has brought, which was checked before. The
// session key must be of a type that was asked for.
func credential(rep *wire.KDCRep, part *wire.EncKDCRepPart, etypes []etype.ID) (*ccache.Credential, error) {
	if !slices.Contains(etypes, part.Key.Etype) {
		return nil, fmt.Errorf("%w: the session key is of type %s", krberr.WrongEtype, part.Key.Etype)
	}
	if len(part.Key.Value) != enctype.KeySize(part.Key.Etype) {
		return nil, fmt.Errorf("%w: session key", krberr.BadKeySize)
	}
	cred := &ccache.Credential{
		Client:    rep.Client,
		Server:    part.Server,
		Key:       secret.Key{Enctype: part.Key.Etype, Value: secret.New(part.Key.Value)},
		AuthTime:  part.AuthTime,
		StartTime: part.StartTime,
		EndTime:   part.EndTime,
		Flags:     part.Flags,
		Ticket:    slices.Clone(rep.Ticket.Raw),
	}
	if part.Flags&wire.FlagRenewable != 0 {
		cred.RenewTill = part.RenewTill
	}
	for _, a := range part.Addrs {
		cred.Addresses = append(cred.Addresses, ccache.Address{Type: a.Type, Bytes: slices.Clone(a.Addr)})
	}
	return cred, nil
}
