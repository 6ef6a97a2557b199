package testenv

import (
	"crypto/rand"
	"os"
	"path/filepath"

	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

// Registry returns a registry with a Kerberos mechanism for this realm, the
// same on every call: [KDC.Mechanism] of nil.
func (k *KDC) Registry() *mech.Registry { return k.registry() }

// Mechanism returns a new Kerberos mechanism with a copy of c, in which
// whatever c leaves out is this realm's: the configuration as it is now, the
// KDC in memory, its clock without Skew, a replay cache of its own. The
// environment is empty, and the default credential cache and keytabs are files
// that do not exist, so that nothing of the machine's gets in; see
// [KDC.UserCred] and [KDC.ServiceCred] for credentials. nil is the zero Config.
func (k *KDC) Mechanism(c *krb5.Config) *krb5.Mechanism {
	var full krb5.Config
	if c != nil {
		full = *c
	}
	nowhere := filepath.Join(os.TempDir(), "testenv-"+rand.Text())
	set(&full.CCache, "FILE:"+filepath.Join(nowhere, "ccache"))
	set(&full.Keytab, "FILE:"+filepath.Join(nowhere, "krb5.keytab"))
	set(&full.ClientKeytab, "FILE:"+filepath.Join(nowhere, "client.keytab"))
	if full.ConfigPath == "" {
		set(&full.ConfigText, k.Config())
	}
	if full.KDC == nil {
		full.KDC = k
	}
	if full.Time == nil {
		full.Time = k.opt.Now
	}
	if full.Getenv == nil {
		full.Getenv = func(string) string { return "" }
	}
	if full.Replay == nil {
		full.Replay = krb5.NewReplayCache(0)
	}
	return krb5.New(&full)
}

// newRegistry makes what Registry returns.
func (k *KDC) newRegistry() *mech.Registry {
	r, _ := mech.NewRegistry(k.Mechanism(nil)) // only doubles are an error
	return r
}
