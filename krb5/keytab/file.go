package keytab

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

const (
	maxFile  = 16 << 20         // bytes in a keytab file
	lockTime = 10 * time.Second // that a writer may keep us waiting
)

// Load reads the keytab with the name: "FILE:path", "WRFILE:path" or a path. It
// takes a shared lock for as long as it reads.
//
// The error is krberr KTUnknownType for other kinds of keytab, KTNotFound if
// there is no such file (it is an [fs.ErrNotExist] too), KTIOErr if it cannot be
// read, and what [Parse] says.
func Load(name string) (*Keytab, error) {
	path, err := Path(name)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), lockTime)
	defer cancel()
	f, err := fileio.Open(ctx, path, false)
	if err != nil {
		return nil, ioError(err)
	}
	defer func() { _ = f.Close() }() // read only
	b, err := fileio.Read(f, maxFile)
	if err != nil {
		return nil, ioError(err)
	}
	defer clear(b)
	k, err := Parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// Write makes the keytab the content of a file, named as in [Load]. The file is
// replaced in one step, by one that only its owner may read. The error is krberr
// KTUnknownType or KTNoWrite.
func (k *Keytab) Write(name string) error {
	path, err := Path(name)
	if err != nil {
		return err
	}
	b := k.Append(nil)
	defer clear(b)
	if err := fileio.Replace(path, b); err != nil {
		return fmt.Errorf("%w: %w", krberr.KTNoWrite, err)
	}
	return nil
}

// Path returns the path of the file that a keytab name stands for. The error is
// krberr KTUnknownType for keytabs that are no files, KTBadName for an empty
// name.
func Path(name string) (string, error) {
	kind, path := fileio.Split(name)
	if kind != "FILE" && kind != "WRFILE" {
		return "", fmt.Errorf("%w: %q is not FILE or WRFILE", krberr.KTUnknownType, kind)
	}
	if path == "" {
		return "", fmt.Errorf("%w: no path", krberr.KTBadName)
	}
	return path, nil
}

func ioError(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", krberr.KTNotFound, err)
	}
	return fmt.Errorf("%w: %w", krberr.KTIOErr, err)
}

// DefaultName returns the name of the keytab that services use: KRB5_KTNAME, else
// default_keytab_name of libdefaults, else "FILE:/etc/krb5.keytab". Parameters
// such as %{uid} are expanded in the configuration's value alone; see
// [conf.Expand] for the errors. A nil c is an empty configuration, a nil getenv
// an empty environment.
func DefaultName(c *conf.Config, getenv func(string) string) (string, error) {
	return defaultName(c, getenv, "KRB5_KTNAME", "default_keytab_name", "FILE:/etc/krb5.keytab")
}

// DefaultClientName returns the name of the keytab with keys to get tickets for:
// KRB5_CLIENT_KTNAME, else default_client_keytab_name of libdefaults, else
// "FILE:/etc/krb5/user/%{euid}/client.keytab". It is otherwise like
// [DefaultName].
func DefaultClientName(c *conf.Config, getenv func(string) string) (string, error) {
	return defaultName(c, getenv, "KRB5_CLIENT_KTNAME", "default_client_keytab_name", "FILE:/etc/krb5/user/%{euid}/client.keytab")
}

func defaultName(c *conf.Config, getenv func(string) string, variable, key, name string) (string, error) {
	if getenv != nil {
		if v := getenv(variable); v != "" {
			return v, nil
		}
	}
	if v, ok := c.Get("libdefaults", key); ok {
		name = v
	}
	return conf.Expand(name, getenv)
}
