package interop

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/oid"
	"github.com/gss-go/gssapi/spnego"
)

// jgss compiles java/Peer.java and returns the class path.
var jgss = sync.OnceValues(func() (string, error) {
	dir := realm.File("java")
	javac, err := exec.LookPath("javac")
	if err != nil {
		return "", fmt.Errorf("%w (Debian: apt-get install openjdk-17-jdk-headless)", err)
	}
	if msg, err := exec.Command(javac, "-d", dir, "java/Peer.java").CombinedOutput(); err != nil {
		return "", fmt.Errorf("javac: %w\n%s", err, msg)
	}
	return dir, nil
})

// startJava starts a peer on JGSS.
func startJava(t *testing.T, interop bool, env []string, args ...string) *peer {
	t.Helper()
	classes, err := jgss()
	require.NoError(t, err)
	java, err := mitkdc.Find("java")
	require.NoError(t, err)
	values := make(map[string]string)
	for _, v := range env {
		name, value, _ := strings.Cut(v, "=")
		values[name] = strings.TrimPrefix(value, "FILE:")
	}
	login := filepath.Join(t.TempDir(), "login.conf")
	require.NoError(t, os.WriteFile(login, []byte(fmt.Sprintf(`
com.sun.security.jgss.initiate {
    com.sun.security.auth.module.Krb5LoginModule required useTicketCache=true doNotPrompt=true ticketCache=%q;
};
com.sun.security.jgss.accept {
    com.sun.security.auth.module.Krb5LoginModule required useKeyTab=true storeKey=true isInitiator=false doNotPrompt=true
        keyTab=%q principal="*";
};
`, values["KRB5CCNAME"], values["KRB5_KTNAME"])), 0o600))
	return startProgram(t, java, env, append([]string{
		"-XX:TieredStopAtLevel=1", "-Xshare:auto",
		"-Djava.security.krb5.conf=" + values["KRB5_CONFIG"],
		"-Djava.security.auth.login.config=" + login,
		"-Djavax.security.auth.useSubjectCredsOnly=false",
		fmt.Sprintf("-Dsun.security.spnego.msinterop=%v", interop),
		"-cp", classes, "Peer",
	}, args...)...)
}

// javaLimits are what JGSS does not do, whatever msinterop says; see
// spnegoLimits. As an acceptor it never sends a mechListMIC, and fails if it has
// no token for its second message. As an initiator it answers none: it takes
// itself for done.
var javaLimits = map[string]string{
	"initiate/mutual/required":       "no mechListMIC",
	"initiate/one-way/required":      "no mechListMIC",
	"initiate/mutual/not the first":  "no mechListMIC",
	"initiate/one-way/not the first": "Failure unspecified at GSS-API level",
	"accept/mutual/required":         "no token but",
	"accept/one-way/required":        "no token but",
}

// Java's JGSS, as it is and with its restriction to what Windows does lifted,
// through SPNEGO and without.
func TestJGSS(t *testing.T) {
	for _, interop := range []bool{true, false} {
		for _, role := range []string{"initiate", "accept"} {
			for _, shape := range shapes[:2] {
				for _, how := range []string{"first", "required", "not the first", "raw"} {
					if how == "not the first" && role == "accept" {
						continue // there is only one in Java
					}
					name := strings.Join([]string{role, shape.name, how}, "/")
					t.Run(fmt.Sprintf("msinterop=%v/%s", interop, name), func(t *testing.T) {
						n := &negotiation{initiate: role == "initiate", omit: shape.omit, self: spnegoService + "@localhost"}
						switch how {
						case "required":
							n.c = &spnego.Config{RequireMechListMIC: true}
						case "not the first":
							n.first = true
						case "raw":
							if n.args = []string{"mech=krb5"}; n.initiate {
								n.args, n.raw = nil, oid.Krb5
							}
						}
						start := func(env []string, args ...string) *peer { return startJava(t, interop, env, args...) }
						if why, ok := javaLimits[name]; ok {
							_, ourErr, peerErr := n.run(t, start)
							require.Error(t, ourErr)
							require.ErrorContains(t, errors.Join(ourErr, peerErr), why)
							return
						}
						p := n.establish(t, start)
						p.messages(t, sealed, signed, mic)
					})
				}
			}
		}
	}
}
