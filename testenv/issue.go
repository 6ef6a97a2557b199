package testenv

import (
	"slices"
	"time"

	"github.com/jcmturner/gofork/encoding/asn1"
	"github.com/jcmturner/gokrb5/v8/asn1tools"
	"github.com/jcmturner/gokrb5/v8/iana"
	"github.com/jcmturner/gokrb5/v8/iana/asnAppTag"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/iana/flags"
	"github.com/jcmturner/gokrb5/v8/iana/keyusage"
	"github.com/jcmturner/gokrb5/v8/messages"
	"github.com/jcmturner/gokrb5/v8/types"
)

// grant is what a new ticket says.
type grant struct {
	server *entry
	sname  types.PrincipalName
	part   messages.EncTicketPart
	key    *types.EncryptionKey // of the ticket instead of the server's; nil for that
	// session, if not nil, makes the session key, and padata for the reply.
	session func(id int32) (types.EncryptionKey, types.PADataSequence, error)
	padata  types.PADataSequence
}

// issue makes the ticket of a grant: it chooses the session key and encrypts
// the ticket in the server's newest key.
func (k *KDC) issue(r *request, g *grant) (messages.Ticket, error) {
	set := g.server.newest()
	session := slices.IndexFunc(r.Body.EType, func(id int32) bool { return set.has(id) })
	if session < 0 {
		return messages.Ticket{}, &failure{code: errorcode.KDC_ERR_ETYPE_NOSUPP}
	}
	g.part.Key = randomKey(r.Body.EType[session])
	if g.session != nil {
		key, padata, err := g.session(r.Body.EType[session])
		if err != nil {
			return messages.Ticket{}, err
		}
		g.part.Key, g.padata = key, append(g.padata, padata...)
	}
	plain, err := asn1.Marshal(g.part)
	if err != nil {
		return messages.Ticket{}, err
	}
	key, ok := set.key(set.etypes[0])
	kvno := set.kvno
	if g.key != nil {
		key, kvno, ok = *g.key, 0, true
	}
	if !ok {
		return messages.Ticket{}, &failure{code: errorcode.KDC_ERR_NULL_KEY}
	}
	enc, err := seal(key, keyusage.KDC_REP_TICKET, kvno, asn1tools.AddASNAppTag(plain, asnAppTag.EncTicketPart))
	if err != nil {
		return messages.Ticket{}, err
	}
	return messages.Ticket{TktVNO: iana.PVNO, Realm: k.realm, SName: g.sname, EncPart: enc}, nil
}

// encPart is the part of the reply that only the client can read (RFC 4120
// §5.4.2). The tag is 25 or 26; gokrb5's own Marshal always writes 25.
func (k *KDC) encPart(r *request, g *grant, tag int, padata types.PADataSequence) ([]byte, error) {
	b, err := asn1.Marshal(messages.EncKDCRepPart{
		Key:       g.part.Key,
		LastReqs:  []messages.LastReq{{LRType: 0, LRValue: g.part.AuthTime}},
		Nonce:     int(r.Body.Nonce),
		Flags:     g.part.Flags,
		AuthTime:  g.part.AuthTime,
		StartTime: g.part.StartTime,
		EndTime:   g.part.EndTime,
		RenewTill: g.part.RenewTill,
		SRealm:    k.realm,
		SName:     g.sname,
		CAddr:     g.part.CAddr,
		EncPAData: padata,
	})
	if err != nil {
		return nil, err
	}
	return asn1tools.AddASNAppTag(b, tag), nil
}

// limits are what a ticket's times may not exceed; zero does not limit.
type limits struct{ end, renew time.Time }

// times sets the times of the ticket from the request, the KDC's limits and
// those of the ticket that it was got with (RFC 4120 §3.1.3, §3.3.3). It sets
// the renewable flag too, if that is asked for and permitted.
func (k *KDC) times(r *request, part *messages.EncTicketPart, now time.Time, max limits, renewable bool) error {
	later := r.Body.From.Sub(now) > k.opt.ClockSkew
	switch postdated := r.option(flags.PostDated); {
	case later && !postdated:
		return &failure{code: errorcode.KDC_ERR_CANNOT_POSTDATE}
	case !later && postdated:
		return &failure{code: errorcode.KDC_ERR_BADOPTION}
	case later:
		part.StartTime = seconds(r.Body.From)
		types.SetFlags(&part.Flags, []int{flags.PostDated, flags.Invalid})
	default:
		part.StartTime = seconds(now)
	}
	part.EndTime = earliest(wish(r.Body.Till), part.StartTime.Add(k.opt.TicketLifetime), max.end)
	if !part.EndTime.After(part.StartTime) {
		return &failure{code: errorcode.KDC_ERR_NEVER_VALID}
	}
	rtime := wish(r.Body.RTime)
	asked := r.option(flags.Renewable)
	if !asked && r.option(flags.RenewableOK) && r.Body.Till.After(part.EndTime) {
		asked, rtime = true, r.Body.Till
	}
	if asked && renewable {
		part.RenewTill = earliest(rtime, part.StartTime.Add(k.opt.RenewLifetime), max.renew)
		types.SetFlag(&part.Flags, flags.Renewable)
	}
	return nil
}

// wish is a time of a request; 1970 and no time at all are as long as possible.
func wish(t time.Time) time.Time {
	if t.Unix() <= 0 {
		return time.Time{}
	}
	return seconds(t)
}

// earliest returns the first of the times, zero ones left out.
func earliest(times ...time.Time) time.Time {
	var min time.Time
	for _, t := range times {
		if !t.IsZero() && (min.IsZero() || t.Before(min)) {
			min = t
		}
	}
	return min
}
