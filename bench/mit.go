package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gss-go/gssapi"
	"github.com/gss-go/gssapi/interop/mitkdc"
	"github.com/gss-go/gssapi/krb5"
	"github.com/gss-go/gssapi/mech"
)

const realmName = "BENCH.TEST"

// enctypes by the names that the tables use.
var enctypes = map[string]string{
	"aes128-sha1": mitkdc.AES128SHA1,
	"aes256-sha1": mitkdc.AES256SHA1,
	"aes128-sha2": mitkdc.AES128SHA2,
	"aes256-sha2": mitkdc.AES256SHA2,
}

// peer is another implementation: the program that measures it.
type peer struct {
	name    string
	program string
	args    []string // before those that all programs have
	env     []string
}

// lab is a running KDC of MIT's with a service for each enctype, and the peers.
type lab struct {
	realm *mitkdc.Realm
	peers []peer
}

// newLab builds the programs and starts the KDC. openssl is a folder with MIT's
// libraries built with OpenSSL's cryptography, or "".
func newLab(dir, openssl string) (*lab, error) {
	source := filepath.Join("c", "gssbench.c")
	mit, err := mitkdc.Build(dir, source)
	if err != nil {
		return nil, err
	}
	heimdal, err := buildHeimdal(dir, source)
	if err != nil {
		return nil, err
	}
	java, err := buildJava(dir)
	if err != nil {
		return nil, err
	}
	peers := []peer{{name: "MIT", program: mit}}
	if openssl != "" {
		peers = append(peers, peer{name: "MIT/OpenSSL", program: mit, env: []string{"LD_LIBRARY_PATH=" + openssl}})
	}
	peers = append(peers, peer{name: "Heimdal", program: heimdal}, java)
	principals := []mitkdc.Principal{{Name: "user", Keytab: "user.keytab"}}
	for name, long := range enctypes {
		principals = append(principals, mitkdc.Principal{
			Name: name + "/localhost", Keytab: name + ".keytab", Enctypes: []string{long}, NoPAC: true,
		})
	}
	realm, err := mitkdc.Start(dir, realmName, principals)
	if err != nil {
		return nil, err
	}
	return &lab{realm, peers}, nil
}

// buildHeimdal compiles the program against Heimdal's libraries.
func buildHeimdal(dir, source string) (string, error) {
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "heimdal-gssapi", "heimdal-krb5").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pkg-config: %w: %s (Debian: apt-get install heimdal-multidev)", err, flags)
	}
	out := filepath.Join(dir, "gssbench-heimdal")
	args := append([]string{"-DHEIMDAL", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-deprecated-declarations", "-o", out, source},
		strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc %s: %w\n%s", source, err, msg)
	}
	return out, nil
}

// buildJava compiles the program for Java, whose replay cache is switched off as
// MIT's is.
func buildJava(dir string) (peer, error) {
	classes := filepath.Join(dir, "java")
	source := filepath.Join("java", "GssBench.java")
	if msg, err := exec.Command("javac", "-d", classes, source).CombinedOutput(); err != nil {
		return peer{}, fmt.Errorf("javac %s: %w\n%s (Debian: apt-get install openjdk-17-jdk-headless)", source, err, msg)
	}
	return peer{name: "Java", program: "java", args: []string{"-Dsun.security.krb5.rcache=none", "-cp", classes, "GssBench"}}, nil
}

// prepare gets a ticket for an enctype's service, with MIT's programs.
func (l *lab) prepare(enctype string) error {
	path, err := l.realm.WriteConfig(enctype+".conf", enctypes[enctype])
	if err != nil {
		return err
	}
	// Heimdal goes by a name of its own, without which its contexts turn to the
	// type that it likes best.
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "[libdefaults]\n    default_etypes = %s\n", enctypes[enctype])
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	if _, err := l.realm.RunEnv(l.env(enctype), "", "kinit", "-k", "-t", l.realm.File("user.keytab"), "user"); err != nil {
		return err
	}
	_, err = l.realm.RunEnv(l.env(enctype), "", "kvno", enctype+"/localhost")
	return err
}

func (l *lab) env(enctype string) []string {
	return []string{
		"KRB5_CONFIG=" + l.realm.File(enctype+".conf"),
		"KRB5CCNAME=FILE:" + l.realm.File(enctype+".ccache"),
		"KRB5_KTNAME=FILE:" + l.realm.File(enctype+".keytab"),
		"KRB5RCACHENAME=none:",
	}
}

// measure runs a peer's program.
func (l *lab) measure(p peer, enctype string, perOp time.Duration) (results, error) {
	args := append(slices.Clone(p.args), enctype+"/localhost@"+realmName, strconv.FormatInt(perOp.Milliseconds(), 10))
	out, err := l.realm.RunEnv(append(l.env(enctype), p.env...), "", p.program, args...)
	if err != nil {
		return nil, err
	}
	r := make(results)
	for s := bufio.NewScanner(strings.NewReader(out)); s.Scan(); {
		name, ns, _ := strings.Cut(s.Text(), " ")
		if r[name], err = strconv.ParseFloat(ns, 64); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", p.name, s.Text(), err)
		}
	}
	return r, nil
}

// parties are who talks in our measurement: those of MIT's, with the same
// ticket.
func (l *lab) parties(enctype string) (*parties, error) {
	r, err := mech.NewRegistry(krb5.New(&krb5.Config{
		ConfigPath: l.realm.File(enctype + ".conf"),
		CCache:     "FILE:" + l.realm.File(enctype+".ccache"),
		Keytab:     "FILE:" + l.realm.File(enctype+".keytab"),
		Getenv:     func(string) string { return "" },
		Replay:     krb5.NewReplayCache(0),
	}))
	if err != nil {
		return nil, err
	}
	o := &gssapi.CredOptions{Registry: r}
	p := &parties{target: gssapi.HostBased(enctype, "localhost")}
	if p.initiator, err = gssapi.AcquireCred(context.Background(), gssapi.Name{}, gssapi.UsageInitiate, o); err != nil {
		return nil, err
	}
	p.acceptor, err = gssapi.AcquireCred(context.Background(), gssapi.Name{}, gssapi.UsageAccept, o)
	return p, err
}
