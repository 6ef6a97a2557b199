package mitkdc

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
)

// packages says where Debian has the programs that are needed here.
var packages = map[string]string{
	"krb5kdc": "krb5-kdc", "kdb5_util": "krb5-kdc", "kadmin.local": "krb5-admin-server",
	"kinit": "krb5-user", "klist": "krb5-user", "kvno": "krb5-user",
	"gss-client": "krb5-gss-samples", "gss-server": "krb5-gss-samples",
	"slapd": "slapd", "slapadd": "slapd", "ldapmodify": "ldap-utils", "ldapsearch": "ldap-utils",
	"kdb5_ldap_util": "krb5-kdc-ldap", "gcc": "gcc libc6-dev", "pkg-config": "pkg-config", "go": "golang",
}

// Find returns the path of a program. The directories that only root has in
// PATH are searched too.
func Find(program string) (string, error) {
	if path, err := exec.LookPath(program); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/sbin", "/usr/local/sbin"} {
		path := filepath.Join(dir, program)
		if s, err := os.Stat(path); err == nil && s.Mode().IsRegular() && s.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed (Debian: apt-get install %s)", program, packages[program])
}

// Build compiles a C source file against MIT's libgssapi and libkrb5 into dir
// and returns the path of the program.
func Build(dir, source string) (string, error) {
	for _, p := range []string{"gcc", "pkg-config"} {
		if _, err := Find(p); err != nil {
			return "", err
		}
	}
	// By this name it is MIT's library even where Heimdal's is installed too.
	flags, err := exec.Command("pkg-config", "--cflags", "--libs", "mit-krb5-gssapi", "mit-krb5").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("pkg-config: %w: %s (Debian: apt-get install libkrb5-dev)", err, flags)
	}
	out := filepath.Join(dir, strings.TrimSuffix(filepath.Base(source), ".c"))
	args := append([]string{"-O2", "-Wall", "-Wextra", "-Werror", "-o", out, source}, strings.Fields(string(flags))...)
	if msg, err := exec.Command("gcc", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("gcc %s: %w\n%s", source, err, msg)
	}
	return out, nil
}

// start starts cmd so that it is killed when this process dies, whatever the
// way, and returns what to call to end it earlier.
func start(cmd *exec.Cmd) (stop func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started, ended := make(chan error), make(chan struct{})
	go func() {
		// The signal is sent when the thread that started the program ends:
		// hold on to it for as long as the program runs.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(ended)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // it is killed by stop: its status says nothing
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return func() {
		_ = cmd.Process.Kill() // fails only if it has ended
		<-ended
	}, nil
}
