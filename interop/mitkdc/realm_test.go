package mitkdc_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gss-go/gssapi/interop/mitkdc"
)

func TestRealm(t *testing.T) {
	r, err := mitkdc.Start(t.TempDir(), "SELF.TEST", []mitkdc.Principal{
		{Name: "alice", Password: "alicepw"},
		{Name: "host/localhost", Keytab: "host.keytab", Enctypes: []string{mitkdc.AES128SHA2}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	env := []string{"KRB5CCNAME=FILE:" + r.File("alice.ccache")}
	if _, err := r.RunEnv(env, "alicepw\n", "kinit", "alice"); err != nil {
		t.Fatal(err)
	}
	if _, err := r.RunEnv(env, "", "kvno", "-k", r.File("host.keytab"), "host/localhost"); err != nil {
		t.Fatal(err, r.Log())
	}
	out, err := r.RunEnv(env, "", "klist", "-e")
	if err != nil {
		t.Fatal(err)
	}
	if want := "Etype (skey, tkt): " + mitkdc.AES128SHA2 + ", " + mitkdc.AES128SHA2; !strings.Contains(out, want) {
		t.Errorf("klist does not show %q:\n%s", want, out)
	}
	if _, err := r.RunEnv(env, "wrong\n", "kinit", "alice"); err == nil {
		t.Error("kinit accepted a wrong password")
	}
	if _, err := os.Stat(r.File("nobody.ccache")); err == nil {
		t.Error("a program wrote the default cache")
	}
}

func TestMissingProgramIsAnError(t *testing.T) {
	if _, err := mitkdc.Find("no-such-program"); err == nil {
		t.Error("no error for a program that does not exist")
	}
}
