package testenv_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/testenv"
	"github.com/jcmturner/gokrb5/v8/iana/errorcode"
	"github.com/jcmturner/gokrb5/v8/keytab"
	"github.com/jcmturner/gokrb5/v8/types"
	"github.com/stretchr/testify/require"
)

func TestFail(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	ask := func() int32 { return login(t, k, body(18, tgs)).code() }
	k.Fail(errorcode.KDC_ERR_SVC_UNAVAILABLE)
	require.Equal(t, errorcode.KDC_ERR_SVC_UNAVAILABLE, ask())
	k.FailNext(errorcode.KDC_ERR_CLIENT_REVOKED, 0)
	require.Equal(t, errorcode.KDC_ERR_CLIENT_REVOKED, ask())
	require.Equal(t, errorcode.KDC_ERR_SVC_UNAVAILABLE, ask())
	k.Fail(0)
	require.Zero(t, ask())
	k.FailNext(0, errorcode.KDC_ERR_KEY_EXPIRED)
	require.Zero(t, ask())
	require.Equal(t, errorcode.KDC_ERR_KEY_EXPIRED, ask())
	require.Zero(t, ask())
	require.Equal(t, 7, k.Requests())
}

func TestSkew(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true})
	k.Skew(6 * time.Minute)
	r := login(t, k, body(18, tgs))
	require.Equal(t, errorcode.KRB_AP_ERR_SKEW, r.code())
	require.WithinDuration(t, time.Now().Add(6*time.Minute), r.err.STime, 5*time.Second)
	k.Skew(-4 * time.Minute)
	require.Zero(t, login(t, k, body(18, tgs)).code())

	wide := newKDC(t, &testenv.Options{NoListen: true, ClockSkew: time.Hour})
	wide.Skew(30 * time.Minute)
	require.Zero(t, login(t, wide, body(18, tgs)).code())
}

func TestExchangeErrors(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true, Realm: "OTHER.TEST"})
	ctx := context.Background()
	req := &krb5.Request{Realm: "OTHER.TEST", Message: asReq(t, body(18, tgs))}
	_, err := k.Exchange(ctx, req)
	require.NoError(t, err)
	_, err = k.Exchange(ctx, &krb5.Request{Realm: "OTHER.TEST", Service: krb5.ServicePrimary, Message: req.Message})
	require.NoError(t, err)
	for name, bad := range map[string]*krb5.Request{
		"realm": {Realm: realm, Message: req.Message}, "password service": {Realm: "OTHER.TEST", Service: krb5.ServicePassword}, "nil": nil,
	} {
		_, err := k.Exchange(ctx, bad)
		require.Error(t, err, name)
	}
	k.Drop(1)
	_, err = k.Exchange(ctx, req)
	require.Error(t, err)
	_, err = k.Exchange(ctx, req)
	require.NoError(t, err)
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	_, err = k.Exchange(canceled, req)
	require.ErrorIs(t, err, context.Canceled)
	k.Close()
	_, err = k.Exchange(ctx, req)
	require.ErrorIs(t, err, net.ErrClosed)
	require.Empty(t, k.Addr())
}

// TestTooBig asks for a reply over UDP that does not fit.
func TestTooBig(t *testing.T) {
	for _, test := range []struct {
		limit     int
		addresses int
		want      int32
	}{{0, 0, 0}, {0, 200, 52}, {-1, 0, 52}, {100, 0, 52}, {64 << 10, 200, 0}} {
		k := newKDC(t, &testenv.Options{UDPLimit: test.limit})
		key := stringToKey(t, 18, password, realm+"alice")
		b := body(18, tgs)
		for range test.addresses {
			b.Addresses = append(b.Addresses, types.HostAddress{AddrType: 2, Address: []byte{127, 0, 0, 1}})
		}
		req := asReq(t, b, timestamp(t, key, time.Now()))
		mem, err := k.Exchange(context.Background(), &krb5.Request{Realm: realm, Message: req})
		require.NoError(t, err)
		require.Equal(t, test.want, parse(t, mem, key, 3).code())
		require.Equal(t, test.want, parse(t, overUDP(t, k, req), key, 3).code())
		require.Zero(t, parse(t, overTCP(t, k, req), key, 3).code())
	}
}

func overUDP(t *testing.T, k *testenv.KDC, req []byte) []byte {
	c, err := net.Dial("udp", k.Addr())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = c.Write(req)
	require.NoError(t, err)
	b := make([]byte, 64<<10)
	n, err := c.Read(b)
	require.NoError(t, err)
	return b[:n]
}

func overTCP(t *testing.T, k *testenv.KDC, req []byte) []byte {
	c, err := net.Dial("tcp", k.Addr())
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(10*time.Second)))
	return roundTrip(t, c, uint32(len(req)), req)
}

func roundTrip(t *testing.T, c net.Conn, size uint32, req []byte) []byte {
	_, err := c.Write(append(binary.BigEndian.AppendUint32(nil, size), req...))
	require.NoError(t, err)
	var head [4]byte
	_, err = io.ReadFull(c, head[:])
	require.NoError(t, err)
	b := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err = io.ReadFull(c, b)
	require.NoError(t, err)
	return b
}

// TestTCP sends several requests on one connection, and a length that is too
// large.
func TestTCP(t *testing.T) {
	k := newKDC(t, nil)
	c, err := net.Dial("tcp", k.Addr())
	require.NoError(t, err)
	defer c.Close()
	req := asReq(t, body(18, tgs))
	for range 3 {
		require.Equal(t, errorcode.KDC_ERR_PREAUTH_REQUIRED, parse(t, roundTrip(t, c, uint32(len(req)), req), types.EncryptionKey{}, 0).code())
	}
	require.Equal(t, errorcode.KRB_ERR_FIELD_TOOLONG, parse(t, roundTrip(t, c, 0xffffffff, nil), types.EncryptionKey{}, 0).code())
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)

	k.Drop(1)
	c, err = net.Dial("tcp", k.Addr())
	require.NoError(t, err)
	defer c.Close()
	_, err = c.Write(append([]byte{0, 0, 0, 1}, 'x'))
	require.NoError(t, err)
	_, err = c.Read(make([]byte, 1))
	require.ErrorIs(t, err, io.EOF)
}

func TestCloseLeavesNoGoroutine(t *testing.T) {
	k := testenv.NewKDC(nil)
	idle, err := net.Dial("tcp", k.Addr())
	require.NoError(t, err)
	defer idle.Close()
	overTCP(t, k, []byte("x"))
	require.Contains(t, goroutines(t), "testenv.(*KDC).serveConns")
	k.Close()
	k.Close()
	require.NotContains(t, goroutines(t), "testenv.(*KDC)")
	_, err = net.Dial("tcp", k.Addr())
	require.Error(t, err)
}

func goroutines(t *testing.T) string {
	var b bytes.Buffer
	require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 2))
	return b.String()
}

func TestConcurrentUse(t *testing.T) {
	k := newKDC(t, nil)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 5 {
				key := stringToKey(t, 17, password, realm+"alice")
				b, err := k.Exchange(context.Background(), &krb5.Request{Realm: realm, Message: asReq(t, body(17, tgs), timestamp(t, key, time.Now()))})
				if err != nil || len(b) == 0 {
					t.Error("no reply", err)
				}
				switch i {
				case 0:
					k.AddService("other/service")
				case 1:
					k.AddUser("alice", password)
				case 2:
					k.FailNext(0)
					k.Skew(time.Second)
				case 3:
					k.OKAsDelegate(service, true)
					_ = k.Config()
				}
			}
		})
	}
	all.Wait()
}

// TestKeyVersions rotates keys: the newest are used, old tickets can still be
// read.
func TestKeyVersions(t *testing.T) {
	k := newKDC(t, &testenv.Options{NoListen: true, Enctypes: []int32{18}})
	old := login(t, k, body(18, host)).rep.Ticket
	require.Equal(t, 1, old.EncPart.KVNO)
	table := k.AddService("host@server.example.test")
	ticket := login(t, k, body(18, host)).rep.Ticket
	require.Equal(t, 2, ticket.EncPart.KVNO)
	require.NotEqual(t, openTicket(t, old, table).Key, openTicket(t, ticket, table).Key)

	kt := keytab.New()
	require.NoError(t, kt.Unmarshal(table))
	require.Len(t, kt.Entries, 2)
	require.Equal(t, uint8(2), kt.Entries[0].KVNO8)
	require.Equal(t, uint32(2), kt.Entries[0].KVNO)

	k.AddUser("alice@"+realm, "new")
	require.Equal(t, errorcode.KDC_ERR_PREAUTH_FAILED, login(t, k, body(18, tgs)).code())
}

func TestWriteFiles(t *testing.T) {
	k := newKDC(t, &testenv.Options{Realm: "CORP.TEST", Enctypes: []int32{18, 23, 16, 99}})
	dir := t.TempDir()
	require.NoError(t, k.WriteFiles(dir))
	require.Error(t, k.WriteFiles(filepath.Join(dir, "missing")))
	text, err := os.ReadFile(filepath.Join(dir, "krb5.conf"))
	require.NoError(t, err)
	for _, want := range []string{
		"default_realm = CORP.TEST\n", "dns_lookup_kdc = false\n", "rdns = false\n", "kdc = " + k.Addr() + "\n", ".corp.test = CORP.TEST\n",
		"permitted_enctypes = aes256-cts-hmac-sha1-96 arcfour-hmac des3-cbc-sha1\n", "allow_rc4 = true\n", "allow_des3 = true\n",
		"default_keytab_name = FILE:" + filepath.Join(dir, "krb5.keytab") + "\n", "default_client_keytab_name = FILE:", "default_ccache_name = FILE:",
	} {
		require.Contains(t, string(text), want)
	}
	require.NotContains(t, k.Config(), dir)
	for name, want := range map[string]string{"krb5.keytab": "host/server.example.test", "client.keytab": "alice"} {
		kt, err := keytab.Load(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Len(t, kt.Entries, 3)
		for _, e := range kt.Entries {
			require.Equal(t, want, strings.Join(e.Principal.Components, "/"))
			require.Equal(t, "CORP.TEST", e.Principal.Realm)
		}
	}

	plain := newKDC(t, &testenv.Options{NoListen: true, Enctypes: []int32{99}})
	require.NotContains(t, plain.Config(), "permitted_enctypes")
	require.NotContains(t, plain.Config(), "\tkdc = ")
	require.Equal(t, realm, plain.Realm())
}
