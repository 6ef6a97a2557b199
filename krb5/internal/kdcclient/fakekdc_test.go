package kdcclient

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

const password = "correct horse battery staple"

var (
	alice = principal.New("EXAMPLE.COM", "alice")
	tgtOf = principal.TGS("EXAMPLE.COM", "EXAMPLE.COM")
	imap  = principal.Name{Type: principal.TypeSrvHst, Realm: "EXAMPLE.COM", Components: []string{"imap", "mail.example.com"}}
	start = time.Date(2030, 1, 2, 3, 4, 5, 678901000, time.UTC)
)

// fakeKDC is an Exchanger that answers as a KDC of one realm or several with
// the same key, and lies where a test tells it to.
type fakeKDC struct {
	etypes     []etype.ID // of the client's keys, the KDC's order
	salt       string
	skew       time.Duration // its clock minus start
	preauth    bool
	encPA      bool // REQ-ENC-PA-REP
	kvno       uint32
	useSession bool // TGS-REP under the session key

	methodData func() []wire.PAData
	asPAData   []wire.PAData
	// The hooks see a reply before it is encrypted, after it was encoded, and
	// an answer in place of one.
	part    func(*wire.KDCRep, *wire.EncKDCRepPart)
	raw     func([]byte) []byte
	instead func(n int, r *kdcnet.Request, req *wire.KDCReq) ([]byte, error)

	tgsKey *enctype.Key

	primary *fakeKDC // answers for the primary KDC; nil: there is none

	mu       sync.Mutex
	requests []*wire.KDCReq
	seen     []*kdcnet.Request
	proofs   int // timestamps that came
	replies  [][]byte
	parts    []*wire.EncKDCRepPart
}

func newKDC(t testing.TB) *fakeKDC {
	t.Helper()
	key, err := enctype.GenerateKey(etype.AES256SHA1)
	require.NoError(t, err)
	return &fakeKDC{
		etypes: []etype.ID{etype.AES256SHA1, etype.AES128SHA1, etype.AES256SHA2, etype.AES128SHA2},
		salt:   alice.Salt(), preauth: true, encPA: true, tgsKey: key,
	}
}

// keys caches string-to-key for the tests: it is slow on purpose.
var keys sync.Map

func stringToKey(id etype.ID, pw, salt string) *enctype.Key {
	type of struct {
		id       etype.ID
		pw, salt string
	}
	if k, ok := keys.Load(of{id, pw, salt}); ok {
		return k.(*enctype.Key)
	}
	k, err := enctype.StringToKey(id, []byte(pw), salt, nil)
	if err != nil {
		panic(err)
	}
	keys.Store(of{id, pw, salt}, k)
	return k
}

func (k *fakeKDC) key(id etype.ID) *enctype.Key { return stringToKey(id, password, k.salt) }

func (k *fakeKDC) Exchange(ctx context.Context, r *kdcnet.Request) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	req, err := wire.ParseKDCReq(r.Message)
	if err != nil {
		return nil, err
	}
	if r.Service == kdcnet.Primary && k.primary != k {
		if k.primary == nil {
			return nil, krberr.RealmUnknown
		}
		return k.primary.Exchange(ctx, r)
	}
	if r.Answered != nil {
		r.Answered("kdc.example.com:88")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.requests = append(k.requests, req)
	k.seen = append(k.seen, r)
	var reply []byte
	if k.instead != nil {
		if reply, err = k.instead(len(k.requests), r, req); reply != nil || err != nil {
			return reply, err
		}
	}
	if req.Type == wire.MsgASReq {
		reply = k.as(r.Message, req)
	} else {
		reply = k.tgs(req)
	}
	if k.raw != nil && reply[0] != tagError {
		reply = k.raw(reply)
	}
	k.replies = append(k.replies, reply)
	return reply, nil
}

func (k *fakeKDC) now() time.Time { return start.Add(k.skew) }

func (k *fakeKDC) fail(code krberr.Code, change func(*wire.KRBError)) []byte {
	n, _ := code.RFC()
	e := wire.KRBError{STime: k.now(), Code: int32(n), Server: tgtOf}
	if change != nil {
		change(&e)
	}
	return e.Append(nil)
}

func (k *fakeKDC) info() wire.PAData {
	var list []wire.ETypeInfo2Entry
	for _, id := range k.etypes {
		list = append(list, wire.ETypeInfo2Entry{Etype: id, Salt: &k.salt})
	}
	return wire.PAData{Type: wire.PAETypeInfo2, Value: wire.AppendETypeInfo2(nil, list)}
}

func (k *fakeKDC) preauthRequired() []byte {
	return k.fail(krberr.KDCPreauthRequired, func(e *wire.KRBError) {
		md := []wire.PAData{{Type: 136}, k.info(), {Type: wire.PAEncTimestamp}, {Type: wire.PAFXCookie, Value: []byte("cookie")}}
		if k.methodData != nil {
			md = k.methodData()
		}
		e.Data = wire.AppendMethodData(nil, md)
	})
}

func (k *fakeKDC) as(raw []byte, req *wire.KDCReq) []byte {
	id := etype.ID(0)
	for _, want := range req.Body.Etypes {
		if slices.Contains(k.etypes, want) {
			id = want
			break
		}
	}
	if id == 0 {
		return k.fail(krberr.KDCEtypeNosupp, nil)
	}
	if k.preauth {
		pa, ok := find(req.PAData, wire.PAEncTimestamp)
		if !ok {
			return k.preauthRequired()
		}
		k.proofs++
		enc, err := wire.ParseEncryptedData(pa.Value)
		if err != nil {
			return k.fail(krberr.KRBGeneric, nil)
		}
		id = enc.Etype
		plain, err := k.key(id).Decrypt(nil, enc.Cipher, usageEncTimestamp)
		if err != nil {
			return k.fail(krberr.KDCPreauthFailed, func(e *wire.KRBError) {
				e.Data = wire.AppendMethodData(nil, []wire.PAData{k.info(), {Type: wire.PAEncTimestamp}})
			})
		}
		stamp, err := wire.ParsePAEncTS(plain)
		if err != nil || !near(stamp.Time, k.now(), 5*time.Minute) {
			return k.fail(krberr.APSkew, nil)
		}
	}
	rep := &wire.KDCRep{Type: wire.MsgASRep, PAData: append([]wire.PAData{k.info()}, k.asPAData...), Client: req.Body.Client.WithRealm(req.Body.Realm)}
	part := k.newPart(req)
	if k.encPA {
		sum, _ := k.key(id).Checksum(nil, usageASReqSum, raw)
		typ, _ := enctype.ChecksumType(id)
		c := wire.Checksum{Type: typ, Sum: sum}
		part.Flags |= wire.FlagEncPARep
		part.PAData = []wire.PAData{{Type: wire.PAReqEncPARep, Value: c.Append(nil)}}
	}
	return k.seal(rep, part, k.key(id), usageASRep)
}

func (k *fakeKDC) newPart(req *wire.KDCReq) *wire.EncKDCRepPart {
	session, err := enctype.GenerateKey(req.Body.Etypes[0])
	if err != nil {
		panic(err)
	}
	now := k.now().Truncate(time.Second)
	part := &wire.EncKDCRepPart{
		Key:      wire.EncryptionKey{Etype: session.Enctype(), Value: session.Bytes()},
		LastReq:  []wire.LastReq{{Type: 0, Value: now}},
		Nonce:    req.Body.Nonce,
		Flags:    wire.FlagPreAuthent | req.Body.Options&(wire.OptForwardable|wire.OptProxiable|wire.OptRenewable),
		AuthTime: now, StartTime: now, EndTime: req.Body.Till,
		RenewTill: req.Body.RTime,
		Server:    req.Body.Server,
	}
	if req.Type == wire.MsgASReq {
		part.Flags |= wire.FlagInitial
	} else {
		part.Type = wire.MsgTGSRep
	}
	return part
}

func (k *fakeKDC) seal(rep *wire.KDCRep, part *wire.EncKDCRepPart, key *enctype.Key, usage uint32) []byte {
	ticket := wire.EncTicketPart{Flags: part.Flags, Key: part.Key, Client: rep.Client, AuthTime: part.AuthTime, EndTime: part.EndTime}
	cipher, err := k.tgsKey.Encrypt(nil, ticket.Append(nil), 2)
	if err != nil {
		panic(err)
	}
	rep.Ticket = wire.Ticket{Server: part.Server, Enc: wire.EncryptedData{Etype: k.tgsKey.Enctype(), Kvno: 1, Cipher: cipher}}
	rep.Enc.Kvno = k.kvno
	rep.Enc.Etype = key.Enctype()
	if k.part != nil {
		k.part(rep, part)
	}
	k.parts = append(k.parts, part)
	if rep.Enc.Cipher, err = key.Encrypt(nil, part.Append(nil), usage); err != nil {
		panic(err)
	}
	return rep.Append(nil)
}

var errFakeKDC = errors.New("the fake KDC refuses the request")

// apReq opens the authentication of a TGS-REQ and checks it.
func (k *fakeKDC) apReq(req *wire.KDCReq) (*wire.EncTicketPart, *wire.Authenticator, error) {
	pa, ok := find(req.PAData, wire.PATGSReq)
	if !ok {
		return nil, nil, errFakeKDC
	}
	ap, err := wire.ParseAPReq(pa.Value)
	if err != nil {
		return nil, nil, err
	}
	plain, err := k.tgsKey.Decrypt(nil, ap.Ticket.Enc.Cipher, 2)
	if err != nil {
		return nil, nil, err
	}
	ticket, err := wire.ParseEncTicketPart(plain)
	if err != nil {
		return nil, nil, err
	}
	session, err := enctype.NewKey(ticket.Key.Etype, ticket.Key.Value)
	if err != nil {
		return nil, nil, err
	}
	if plain, err = session.Decrypt(nil, ap.Authenticator.Cipher, usageTGSReqAuth); err != nil {
		return nil, nil, err
	}
	auth, err := wire.ParseAuthenticator(plain)
	if err != nil {
		return nil, nil, err
	}
	if auth.Checksum == nil || !auth.Client.Equal(ticket.Client) || ap.Authenticator.Kvno != 0 || ap.Options != 0 {
		return nil, nil, errFakeKDC
	}
	return ticket, auth, session.VerifyChecksum(auth.Checksum.Sum, usageTGSReqSum, req.Body.Raw)
}

func (k *fakeKDC) tgs(req *wire.KDCReq) []byte {
	ticket, auth, err := k.apReq(req)
	if err != nil {
		return k.fail(krberr.APModified, func(e *wire.KRBError) { e.Text = err.Error() })
	}
	if !near(auth.Time, k.now(), 5*time.Minute) {
		return k.fail(krberr.APSkew, nil)
	}
	part := k.newPart(req)
	rep := &wire.KDCRep{Type: wire.MsgTGSRep, Client: ticket.Client}
	k1 := auth.Subkey
	usage := uint32(usageTGSRepSubkey)
	if k.useSession {
		k1, usage = &ticket.Key, usageTGSRepSession
	}
	key, err := enctype.NewKey(k1.Etype, k1.Value)
	if err != nil {
		panic(err)
	}
	return k.seal(rep, part, key, usage)
}

func (k *fakeKDC) last() *wire.KDCReq { return k.requests[len(k.requests)-1] }

func newClient(t testing.TB, k kdcnet.Exchanger, libdefaults string) *Client {
	t.Helper()
	cfg, err := conf.Parse("[libdefaults]\n" + libdefaults + "\n")
	require.NoError(t, err)
	return &Client{Config: cfg, Exchanger: k, Now: func() time.Time { return start }, Logger: slog.New(slog.DiscardHandler)}
}

func byPassword(pw string) *LoginRequest {
	return &LoginRequest{Client: alice, Password: func() []byte { return []byte(pw) }}
}

// byKey has the keys of the right password.
func byKey(ids ...etype.ID) *LoginRequest {
	return &LoginRequest{Client: alice, KeyTypes: ids, Key: func(id etype.ID, kvno uint32) (*enctype.Key, error) {
		return stringToKey(id, password, alice.Salt()), nil
	}}
}
