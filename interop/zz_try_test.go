package interop

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/oid"
)

func TestTry(t *testing.T) {
	m := krb5.New(&krb5.Config{ConfigPath: "/tmp/preauth-lab/mit-kdc/krb5.conf", Getenv: func(string) string { return "" },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ctx := context.Background()
	store := func(c mech.Cred, name string) {
		_, err := c.(mech.Storer).Store(ctx, mech.StoreRequest{Store: map[string]string{"ccache": "FILE:/tmp/preauth-lab/go." + name}})
		if err != nil {
			t.Error(name, err)
		}
	}
	pw := func(s string) func() []byte { return func() []byte { return []byte(s) } }
	try := func(name, who string, o *krb5.LoginOptions) mech.Cred {
		c, err := m.Login(ctx, who, o)
		if err != nil {
			t.Error(name, err)
			return nil
		}
		fmt.Println(name, "ok")
		store(c, name)
		return c
	}
	spake := try("spake", "alice", &krb5.LoginOptions{Password: pw("alicepw")})
	try("spakewrong", "alice", &krb5.LoginOptions{Password: pw("alicep")})
	try("fast", "bob", &krb5.LoginOptions{Password: pw("bobpw"), Armor: spake})
	try("fasthidden", "bob", &krb5.LoginOptions{Password: pw("bobpw"), Armor: spake, HideName: true})
	try("fastwrong", "bob", &krb5.LoginOptions{Password: pw("bobpwx"), Armor: spake})
	anon := try("anon", "", &krb5.LoginOptions{Anonymous: true})
	if anon != nil {
		try("fastanon", "bob", &krb5.LoginOptions{Password: pw("bobpw"), Armor: anon})
	}
	b, _ := os.ReadFile("/tmp/preauth-lab/mit-kdc/pki/client.pem")
	p, _ := pem.Decode(b)
	cert, _ := x509.ParseCertificate(p.Bytes)
	b, _ = os.ReadFile("/tmp/preauth-lab/mit-kdc/pki/client.key")
	p, _ = pem.Decode(b)
	key, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	try("pkinit", "alice", &krb5.LoginOptions{Signer: key.(crypto.Signer), Certificates: []*x509.Certificate{cert}})
	try("pkinitfast", "alice", &krb5.LoginOptions{Signer: key.(crypto.Signer), Certificates: []*x509.Certificate{cert}, Armor: spake})
}

func TestTry2(t *testing.T) {
	m := krb5.New(&krb5.Config{ConfigPath: "/tmp/preauth-lab/mit-kdc/krb5.conf", Getenv: func(string) string { return "" },
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	ctx := context.Background()
	c, err := m.Login(ctx, "alice", &krb5.LoginOptions{Password: func() []byte { return []byte("alicepw") }})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"host@localhost", "nope@localhost", "indicator@localhost"} {
		n, err := m.ImportName([]byte(s), oid.NTHostBased)
		if err != nil {
			t.Fatal(err)
		}
		i, err := m.Initiate(n, mech.InitRequest{Creds: []mech.Cred{c}})
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = i.Step(ctx, nil)
		fmt.Println(s, err)
	}
}
