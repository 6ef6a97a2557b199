package krb5_test

import (
	"encoding/binary"
	"os"
	"os/user"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

const nameConfig = `
[libdefaults]
	default_realm = DEFAULT.TEST
	dns_canonicalize_hostname = false
[domain_realm]
	.example.test = EXAMPLE.TEST
	odd.example.test = ODD.TEST
`

func offline(text string) *krb5.Mechanism {
	return krb5.New(&krb5.Config{ConfigText: text, Getenv: func(string) string { return "" }})
}

func TestImportName(t *testing.T) {
	m := offline(nameConfig)
	for _, tc := range []struct {
		name  string
		text  string
		typ   oid.OID
		shown string
		as    oid.OID
		canon string // "" for the same
	}{
		{"user", "alice", oid.NTUserName, "alice", oid.NTKrb5Principal, "alice@DEFAULT.TEST"},
		{"no type", "alice", oid.OID{}, "alice", oid.NTKrb5Principal, "alice@DEFAULT.TEST"},
		{"principal", "alice/admin@OTHER.TEST", oid.NTKrb5Principal, "alice/admin@OTHER.TEST", oid.NTKrb5Principal, ""},
		{"quoted", `a\/b\@c@R\\X`, oid.NTKrb5Principal, `a\/b\@c@R\\X`, oid.NTKrb5Principal, ""},
		{"UTF-8", "ælice@R", oid.NTKrb5Principal, "ælice@R", oid.NTKrb5Principal, ""},
		{"enterprise", "alice@mail.test", oid.NTKrb5Enterprise, `alice\@mail.test`, oid.NTKrb5Enterprise, `alice\@mail.test@DEFAULT.TEST`},
		{"enterprise with a realm", "alice@mail.test@R", oid.NTKrb5Enterprise, `alice\@mail.test@R`, oid.NTKrb5Enterprise, ""},
		{"host", "imap@Mail.Example.Test.", oid.NTHostBased, "imap@Mail.Example.Test.", oid.NTHostBased, "imap/mail.example.test@EXAMPLE.TEST"},
		{"host, the other type", "imap@odd.example.test", oid.NTHostBasedX, "imap@odd.example.test", oid.NTHostBased, "imap/odd.example.test@ODD.TEST"},
		{"host of no known realm", "imap@elsewhere", oid.NTHostBased, "imap@elsewhere", oid.NTHostBased, "imap/elsewhere@DEFAULT.TEST"},
		{"host with a second at", "imap@a@b", oid.NTHostBased, "imap@a@b", oid.NTHostBased, `imap/a\@b@DEFAULT.TEST`},
		{"exported", `alice\/x@R`, oid.NTExportName, `alice\/x@R`, oid.NTKrb5Principal, ""},
		{"composite", "\x00\x00\x00\x03a@R\x00\x00\x00\x02xx", oid.NTCompositeExport, "a@R", oid.NTKrb5Principal, ""},
		{"anonymous", "", oid.NTAnonymous, "WELLKNOWN/ANONYMOUS@WELLKNOWN:ANONYMOUS", oid.NTAnonymous, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n := importName(t, m, tc.text, tc.typ)
			text, typ := n.Display()
			require.Equal(t, tc.shown, text)
			require.Equal(t, tc.as, typ)
			require.Equal(t, oid.Krb5, n.Mech())
			c, err := m.Canonicalize(ctx, n)
			require.NoError(t, err)
			if tc.canon == "" {
				tc.canon = tc.shown
			}
			text, _ = c.Display()
			require.Equal(t, tc.canon, text)
			again, err := m.Canonicalize(ctx, c)
			require.NoError(t, err)
			exported, err := c.Export()
			require.NoError(t, err)
			require.Equal(t, tc.canon, string(exported))
			back := importName(t, m, string(exported), oid.NTExportName)
			if tc.typ == oid.NTAnonymous {
				require.False(t, c.Equal(c), "nobody knows who that is")
				return
			}
			require.True(t, c.Equal(again))
			require.True(t, c.Equal(back))
			require.True(t, back.Equal(c))
		})
	}
}

func TestImportNameRefuses(t *testing.T) {
	m := offline(nameConfig)
	for _, tc := range []struct {
		name, text string
		typ        oid.OID
		major      gsserr.Major
		code       krb5.Code
	}{
		{"two realms", "a@B@C", oid.NTKrb5Principal, gsserr.ErrBadName, krberr.ParseMalformed},
		{"empty", "", oid.NTUserName, gsserr.ErrBadName, krberr.ParseMalformed},
		{"NUL", "a\x00b", oid.NTUserName, gsserr.ErrBadName, krberr.ParseMalformed},
		{"ends in a backslash", `a\`, oid.NTUserName, gsserr.ErrBadName, krberr.ParseMalformed},
		{"too long", strings.Repeat("a", 1<<16+1), oid.NTUserName, gsserr.ErrBadName, krberr.ParseMalformed},
		{"no service", "@host", oid.NTHostBased, gsserr.ErrBadName, krberr.GSSBadServiceName},
		{"no service at all", "", oid.NTHostBased, gsserr.ErrBadName, krberr.GSSBadServiceName},
		{"NUL in a host", "a@b\x00c", oid.NTHostBased, gsserr.ErrBadName, krberr.GSSBadServiceName},
		{"host too long", "a@" + strings.Repeat("a", 1<<16), oid.NTHostBased, gsserr.ErrBadName, krberr.GSSBadServiceName},
		{"exported without a realm", "alice", oid.NTExportName, gsserr.ErrBadName, krberr.ParseMalformed},
		{"uid with a sign", "-1", oid.NTStringUID, gsserr.ErrBadName, krberr.GSSBadStringUID},
		{"no uid", "", oid.NTStringUID, gsserr.ErrBadName, krberr.GSSBadStringUID},
		{"long uid", "12345678901", oid.NTStringUID, gsserr.ErrBadName, krberr.GSSBadStringUID},
		{"uid of three bytes", "123", oid.NTMachineUID, gsserr.ErrBadName, krberr.GSSBadStringUID},
		{"enterprise without a user", "", oid.NTKrb5Enterprise, gsserr.ErrBadName, krberr.ParseMalformed},
		{"composite, empty", "", oid.NTCompositeExport, gsserr.ErrBadName, krberr.ParseMalformed},
		{"composite, cut off", "\x00\x00\x00\x03a@R\x00\x00\x00\x01", oid.NTCompositeExport, gsserr.ErrBadName, krberr.ParseMalformed},
		{"composite, long", "\xff\xff\xff\xffa@R", oid.NTCompositeExport, gsserr.ErrBadName, krberr.ParseMalformed},
		{"composite, bytes after the end", "\x00\x00\x00\x03a@R\x00\x00\x00\x00x", oid.NTCompositeExport, gsserr.ErrBadName, krberr.ParseMalformed},
		{"composite without a realm", "\x00\x00\x00\x01a\x00\x00\x00\x00", oid.NTCompositeExport, gsserr.ErrBadName, krberr.ParseMalformed},
		{"unknown type", "x", oid.SPNEGO, gsserr.ErrBadNameType, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			n, err := m.ImportName([]byte(tc.text), tc.typ)
			require.Nil(t, n)
			requireCode(t, err, tc.major, tc.code)
		})
	}
}

func TestUID(t *testing.T) {
	m := offline(nameConfig)
	me, err := user.Current()
	require.NoError(t, err)
	str := importName(t, m, me.Uid, oid.NTStringUID)
	c, err := m.Canonicalize(ctx, str)
	require.NoError(t, err)
	text, _ := c.Display()
	require.Equal(t, me.Username+"@DEFAULT.TEST", text)
	machine := importName(t, m, string(binary.LittleEndian.AppendUint32(nil, uint32(os.Getuid()))), oid.NTMachineUID)
	require.True(t, str.Equal(machine))
	text, typ := machine.Display()
	require.Equal(t, me.Uid, text)
	require.Equal(t, oid.NTStringUID, typ)
	_, err = m.Canonicalize(ctx, importName(t, m, "4294967294", oid.NTStringUID))
	requireCode(t, err, gsserr.ErrBadName, krberr.GSSNoUser)
}

func TestNameEqual(t *testing.T) {
	m := offline(nameConfig)
	p := func(s string) mech.Name { return importName(t, m, s, oid.NTKrb5Principal) }
	h := func(s string) mech.Name { return importName(t, m, s, oid.NTHostBased) }
	for _, tc := range []struct {
		a, b mech.Name
		want bool
	}{
		{p("a@R"), p("a@R"), true},
		{p("a@R"), p("a@S"), false},
		{p("a@R"), p("a"), false},
		{p("a@R"), p("A@R"), false},
		{p("a/b@R"), p(`a\/b@R`), false},
		{p("a@R"), importName(t, m, "a@@R", oid.NTKrb5Enterprise), false},
		{h("s@h"), h("s@H"), true},
		{h("s@h"), h("S@h"), false},
		{h("s@h"), h("s"), false},
		{h("s@h"), p("s/h@R"), false},
		{p("a@R"), importName(t, offline(nameConfig), "a@R", oid.NTKrb5Principal), true},
		{p("a@R"), nil, false},
		{p("WELLKNOWN/ANONYMOUS@R"), p("WELLKNOWN/ANONYMOUS@R"), false},
	} {
		require.Equal(t, tc.want, tc.a.Equal(tc.b), "%v %v", tc.a, tc.b)
		if tc.b != nil {
			require.Equal(t, tc.want, tc.b.Equal(tc.a))
		}
	}
}

// What is no whole principal yet cannot be exported.
func TestExportName(t *testing.T) {
	m := offline(nameConfig)
	for _, n := range []mech.Name{
		importName(t, m, "alice", oid.NTUserName), importName(t, m, "imap@h", oid.NTHostBased), importName(t, m, "0", oid.NTStringUID),
	} {
		_, err := n.Export()
		requireCode(t, err, gsserr.ErrNameNotMN, 0)
	}
}

func TestCanonicalizeRefuses(t *testing.T) {
	m := offline("[libdefaults]\n")
	for text, typ := range map[string]oid.OID{"alice": oid.NTUserName, "imap@h": oid.NTHostBased} {
		_, err := m.Canonicalize(ctx, importName(t, m, text, typ))
		requireCode(t, err, gsserr.ErrBadName, krb5.ErrNoDefaultRealm)
	}
	c, err := m.Canonicalize(ctx, importName(t, m, "alice@R", oid.NTUserName))
	require.NoError(t, err)
	_, err = offline(nameConfig).Canonicalize(ctx, c)
	requireCode(t, err, gsserr.ErrDefectiveCredential, 0)
	_, err = m.Canonicalize(ctx, nil)
	require.ErrorIs(t, err, gsserr.ErrInaccessibleRead|gsserr.ErrBadName)
	_, err = m.Canonicalize(ctx, foreignName{})
	requireCode(t, err, gsserr.ErrBadName, 0)
	broken := offline("[libdefaults\n")
	_, err = broken.Canonicalize(ctx, importName(t, broken, "alice@R", oid.NTUserName))
	requireCode(t, err, gsserr.ErrFailure, krberr.ConfigBadFormat)
}

// foreignName is a name of another mechanism.
type foreignName struct{}

func (foreignName) Mech() oid.OID              { return oid.SPNEGO }
func (foreignName) Display() (string, oid.OID) { return "x", oid.OID{} }
func (foreignName) Export() ([]byte, error)    { return nil, nil }
func (foreignName) Equal(mech.Name) bool       { return true }

// A host without a name is this one.
func TestLocalHost(t *testing.T) {
	m := offline(nameConfig)
	name, err := os.Hostname()
	require.NoError(t, err)
	c, err := m.Canonicalize(ctx, importName(t, m, "imap", oid.NTHostBased))
	require.NoError(t, err)
	text, _ := c.Display()
	require.True(t, strings.HasPrefix(text, "imap/"+strings.ToLower(name)+"@"), text)
}

// Names, credentials and contexts of another value are refused, even if it is
// configured alike.
func TestForeignValues(t *testing.T) {
	w := newWorld(t, nil, nil)
	other := w.with(t, func(*krb5.Config) {})
	foreign := func(err error) { requireCode(t, err, gsserr.ErrDefectiveCredential, 0) }
	_, err := w.Initiate(other.target(t), mech.InitRequest{})
	foreign(err)
	_, err = w.Initiate(w.target(t), mech.InitRequest{Creds: []mech.Cred{other.alice}})
	foreign(err)
	_, err = w.Accept(mech.AcceptRequest{Creds: []mech.Cred{other.server}})
	foreign(err)
	_, err = w.AcquireCred(ctx, mech.CredRequest{Name: other.target(t), Usage: mech.UsageAccept})
	foreign(err)
	_, err = w.KeytabCred(ctx, other.target(t), parseKeytab(t, w.keytab))
	foreign(err)
	_, err = w.Initiate(foreignName{}, mech.InitRequest{})
	requireCode(t, err, gsserr.ErrBadName, 0)

	// Nor does the default credential step in for one that is not fit.
	_, err = w.Accept(mech.AcceptRequest{Creds: []mech.Cred{w.alice}})
	requireCode(t, err, gsserr.ErrNoCred, krberr.GSSCredUsageMismatch)
	_, err = w.Initiate(w.target(t), mech.InitRequest{Creds: []mech.Cred{w.server}})
	requireCode(t, err, gsserr.ErrNoCred, krberr.GSSCredUsageMismatch)
	_, err = w.Initiate(w.target(t), mech.InitRequest{Creds: []mech.Cred{foreignCred{}}})
	requireCode(t, err, gsserr.ErrNoCred, 0)
	_, err = w.Accept(mech.AcceptRequest{Creds: []mech.Cred{foreignCred{}}})
	requireCode(t, err, gsserr.ErrNoCred, 0)

	// Among several elements the one that fits is taken.
	both := []mech.Cred{foreignCred{}, w.server, w.alice}
	establish(t, w.initiate(t, mech.InitRequest{Creds: both, Flags: allFlags}), w.accept(t, mech.AcceptRequest{Creds: both}))
}

// foreignCred is a credential of another mechanism.
type foreignCred struct{ mech.Cred }

func (foreignCred) Mech() oid.OID { return oid.SPNEGO }

// Who a service accepts as.
func TestAcceptorNames(t *testing.T) {
	w := newWorld(t, nil, nil)
	all := append([]byte{}, w.keytab...)
	all = append(all, w.kdc.AddService("http/web.example.test")[2:]...)
	for _, tc := range []struct {
		name, text string
		typ        oid.OID
		host, http bool // accepts host/server and http/web
		err        krb5.Code
	}{
		{"any", "", oid.OID{}, true, true, 0},
		{"service", "host", oid.NTHostBased, true, false, 0},
		{"service on the host", service, oid.NTHostBased, true, false, 0},
		{"host in capitals", "http@WEB.example.test.", oid.NTHostBased, false, true, 0},
		{"service on another host", "host@web.example.test", oid.NTHostBased, false, false, krberr.GSSKeytabNomatch},
		{"unknown service", "ftp", oid.NTHostBased, false, false, krberr.GSSKeytabNomatch},
		{"principal", "host/" + host + "@" + realm, oid.NTKrb5Principal, true, false, 0},
		{"principal of the default realm", "http/web.example.test", oid.NTKrb5Principal, false, true, 0},
		{"principal of another realm", "host/" + host + "@OTHER.TEST", oid.NTKrb5Principal, false, false, krberr.GSSKeytabNomatch},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var n mech.Name
			if tc.text != "" {
				n = importName(t, w, tc.text, tc.typ)
			}
			cred, err := w.KeytabCred(ctx, n, parseKeytab(t, all))
			if tc.err != 0 {
				requireCode(t, err, gsserr.ErrNoCred, tc.err)
				return
			}
			require.NoError(t, err)
			info, err := cred.Info(ctx)
			require.NoError(t, err)
			require.Equal(t, n, info.Name)
			require.Equal(t, mech.UsageAccept, info.Usage)
			require.Zero(t, info.AcceptExpires)
			for target, ok := range map[string]bool{service: tc.host, "http@web.example.test": tc.http} {
				i, err := w.Initiate(importName(t, w, target, oid.NTHostBased), mech.InitRequest{Creds: []mech.Cred{w.alice}, Flags: allFlags})
				require.NoError(t, err)
				a := w.accept(t, mech.AcceptRequest{Creds: []mech.Cred{cred}})
				if err := handshake(i, a); ok {
					require.NoError(t, err)
				} else {
					requireCode(t, err, gsserr.ErrFailure, krb5.ErrAPNotUs)
				}
			}
		})
	}
}

func TestInfo(t *testing.T) {
	m := krb5.New(nil)
	i := m.Info()
	require.Equal(t, oid.Krb5, i.OID)
	require.Equal(t, []oid.OID{oid.Krb5MS, oid.Krb5Old}, i.Aliases)
	require.Equal(t, "GS2-KRB5", i.SASLName)
	require.NotEmpty(t, i.Description)
	for _, a := range i.Attrs {
		require.Contains(t, i.KnownAttrs, a)
	}
	require.False(t, i.HasAttr(mech.MADeprecated))
	require.False(t, i.HasAttr(mech.MANotDefaultMech))
	for _, typ := range i.NameTypes {
		_, err := m.ImportName(nil, typ)
		require.NotErrorIs(t, err, gsserr.ErrBadNameType, "%s is promised", typ)
	}
}

func TestCodes(t *testing.T) {
	m := krb5.New(nil)
	for code, rfc := range map[krb5.Code]int{
		krb5.ErrClientUnknown: 6, krb5.ErrServerUnknown: 7, krb5.ErrClientRevoked: 18, krb5.ErrKeyExpired: 23,
		krb5.ErrPreauthFailed: 24, krb5.ErrEtypeNosupp: 14, krb5.ErrAPBadIntegrity: 31, krb5.ErrAPTktExpired: 32,
		krb5.ErrAPTktNYV: 33, krb5.ErrAPRepeat: 34, krb5.ErrAPNotUs: 35, krb5.ErrAPBadMatch: 36, krb5.ErrAPSkew: 37,
		krb5.ErrAPBadKeyVer: 44, krb5.ErrAPNoKey: 45,
	} {
		n, ok := code.RFC()
		require.True(t, ok)
		require.Equal(t, rfc, n)
		require.Equal(t, krb5.Code(-1765328384+rfc), code)
		require.Equal(t, code.Text(), m.StatusText(uint32(code)))
		require.Contains(t, code.Error(), code.Name())
	}
	for _, code := range []krb5.Code{
		krb5.ErrMutualFailed, krb5.ErrKDCUnreach, krb5.ErrRealmUnknown, krb5.ErrNoDefaultRealm, krb5.ErrCCNotFound,
		krb5.ErrKeytabNotFound, krb5.ErrCCUnknownType, krb5.ErrBadEnctype,
	} {
		_, ok := code.RFC()
		require.False(t, ok)
		require.NotEmpty(t, m.StatusText(uint32(code)))
	}
	require.Equal(t, []krb5.Enctype{17, 18, 19, 20}, enctypes)
}
