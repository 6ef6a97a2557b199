package krb5

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	gsserr "github.com/gss-go/gssapi/errors"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/fileio"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/localauth"
	"github.com/gss-go/gssapi/krb5/internal/principal"
	"github.com/gss-go/gssapi/mech"
)

var _ mech.LocalNamer = (*name)(nil)

// maxLogin is the largest .k5login that is read, in bytes.
const maxLogin = 1 << 20

// LocalName implements [mech.LocalNamer] by the configuration's
// auth_to_local_names and auth_to_local. It does not look whether the user
// exists. A principal without a user is ErrFailure with krberr NoLocalName.
func (n *name) LocalName(ctx context.Context) (string, error) {
	const op = "localname"
	c, p, err := n.localPrincipal(ctx)
	if err != nil {
		return "", fail(op, gsserr.ErrFailure, err)
	}
	local, err := localauth.Name(c, p)
	if err != nil {
		return "", fail(op, gsserr.ErrFailure, err)
	}
	return local, nil
}

// UserOK implements [mech.LocalNamer]: a principal may act as a user who lists
// it in .k5login, or, if there is no such file, as the user that it maps to.
// With k5login_authoritative = false it may so beside a file that does not list
// it. Whoever may not is ErrUnauthorized; anything that keeps the file from
// being read is too.
func (n *name) UserOK(ctx context.Context, local string) error {
	const op = "userok"
	c, p, err := n.localPrincipal(ctx)
	if err != nil {
		return fail(op, gsserr.ErrFailure, err)
	}
	listed, err := listedIn(c, p, local)
	if err != nil {
		return fail(op, gsserr.ErrUnauthorized, err)
	}
	if listed {
		return nil
	}
	mapped, err := localauth.Name(c, p)
	if err != nil {
		return fail(op, gsserr.ErrUnauthorized, err)
	}
	if mapped != local {
		return fail(op, gsserr.ErrUnauthorized, fmt.Errorf("%s is not %s here", p, local))
	}
	return nil
}

// localPrincipal returns the principal and the configuration to map it with.
// The anonymous principal is nobody here.
func (n *name) localPrincipal(ctx context.Context) (*conf.Config, principal.Name, error) {
	c, err := n.m.config()
	if err != nil {
		return nil, principal.Name{}, err
	}
	p, err := n.principal(ctx, c)
	switch {
	case err != nil:
		return nil, principal.Name{}, fail("", gsserr.ErrBadName, err)
	case p.Realm == "" || p.IsAnonymous():
		return nil, principal.Name{}, fmt.Errorf("%w: %s", krberr.NoLocalName, p)
	}
	return c, p, nil
}

var errNotListed = errors.New("the user's .k5login does not list the principal")

// listedIn reports whether the user's .k5login lists the principal. The error
// says that it decides against the principal.
func listedIn(c *conf.Config, p principal.Name, local string) (bool, error) {
	if !canOwn {
		return false, nil // as in MIT, where nobody can tell whose a file is
	}
	listed, err := readLogin(c, p, local)
	if err != nil && !c.Bool(true, "libdefaults", "k5login_authoritative") {
		return false, nil
	}
	return listed, err
}

func readLogin(c *conf.Config, p principal.Name, local string) (bool, error) {
	u, err := user.Lookup(local)
	if err != nil || local == "" || strings.ContainsAny(local, "/\x00") {
		return false, errors.New("there is no such user")
	}
	path := filepath.Join(u.HomeDir, ".k5login")
	if dir, ok := c.Get("libdefaults", "k5login_directory"); ok {
		path = filepath.Join(dir, local)
	}
	info, err := os.Stat(path)
	if err != nil {
		return false, nil // MIT does not tell one that is missing from one behind a closed door
	}
	if !info.Mode().IsRegular() {
		return false, errors.New("the user's .k5login is not a file")
	}
	f, err := os.OpenFile(path, os.O_RDONLY|fileio.NonBlock, 0)
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // read only
	if info, err = f.Stat(); err != nil {
		return false, err
	}
	if !info.Mode().IsRegular() { // any more
		return false, errors.New("the user's .k5login is not a file")
	}
	if !ownedBy(info, u.Uid) {
		return false, errors.New("the user's .k5login belongs to somebody else")
	}
	b, err := fileio.Read(f, maxLogin)
	if err != nil {
		return false, err
	}
	text := p.String()
	for line := range strings.Lines(string(b)) {
		if strings.TrimSuffix(line, "\n") == text {
			return true, nil
		}
	}
	return false, errNotListed
}
