package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// kcm is the collection of a KCM daemon: Heimdal's kcm, or SSSD's. Each call
// has a connection of its own.
type kcm struct{ socket string }

var _ Collection = (*kcm)(nil)

// openKCM returns the daemon's collection, or the cache with a name in it.
func openKCM(name string, c *conf.Config) (Collection, error) {
	socket, ok := c.Get("libdefaults", "kcm_socket")
	if !ok {
		socket = kcmDefaultSocket
	}
	k := &kcm{socket}
	if name == "" {
		return k, nil
	}
	if strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("%w: NUL in a name", krberr.CCBadName)
	}
	return NewSingle(&kcmCache{k, name}), nil
}

// Name implements [Collection].
func (k *kcm) Name() string { return "KCM:" }

// on calls f with a connection.
func (k *kcm) on(ctx context.Context, f func(*kcmConn) error) error {
	c, err := dialKCM(ctx, k.socket)
	if err != nil {
		return err
	}
	defer c.close()
	return f(c)
}

// Caches implements [Collection].
func (k *kcm) Caches(ctx context.Context) (list []Cache, err error) {
	err = k.on(ctx, func(c *kcmConn) error {
		names, err := c.cacheNames(ctx)
		if err != nil || len(names) == 0 {
			return err
		}
		primary, err := c.name(ctx, kcmRequest(kcmGetDefault, ""))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for _, n := range primaryFirst(names, primary) {
			// The daemon lists caches that nobody has initialized, too.
			switch _, err := c.principal(ctx, n); {
			case errors.Is(err, fs.ErrNotExist):
			case err != nil:
				return err
			default:
				list = append(list, &kcmCache{k, n})
			}
		}
		return nil
	})
	return list, err
}

// cacheNames returns the names of all caches that the user may read.
func (k *kcmConn) cacheNames(ctx context.Context) ([]string, error) {
	b, err := k.call(ctx, kcmRequest(kcmCacheUUIDs, ""))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	ids, err := parseKCMUUIDs(b)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, id := range ids {
		n, err := k.name(ctx, append(kcmRequest(kcmCacheByUUID, ""), id...))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, krberr.CCEnd) {
			continue // destroyed meanwhile
		}
		if err != nil {
			return nil, err
		}
		names = append(names, n)
	}
	return names, nil
}

// name sends a request whose result is the name of a cache.
func (k *kcmConn) name(ctx context.Context, request []byte) (string, error) {
	b, err := k.call(ctx, request)
	if err != nil {
		return "", err
	}
	return parseKCMName(b)
}

func (k *kcmConn) principal(ctx context.Context, name string) (Principal, error) {
	b, err := k.call(ctx, kcmRequest(kcmGetPrincipal, name))
	if err == nil && len(b) == 0 { // Heimdal's way to say that there is none
		err = fmt.Errorf("%w: KCM:%s: %w", krberr.FCCNoFile, name, fs.ErrNotExist)
	}
	if err != nil {
		return Principal{}, err
	}
	p, err := parsePrincipalData(b)
	if err != nil {
		return Principal{}, badReply(err)
	}
	return p, nil
}

// Primary implements [Collection].
func (k *kcm) Primary(ctx context.Context) (cc Cache, err error) {
	err = k.on(ctx, func(c *kcmConn) error {
		n, err := c.name(ctx, kcmRequest(kcmGetDefault, ""))
		cc = &kcmCache{k, n}
		return err
	})
	if err != nil {
		return nil, err
	}
	return cc, nil
}

// Switch implements [Collection].
func (k *kcm) Switch(ctx context.Context, cc Cache) error {
	name, ok := strings.CutPrefix(cc.Name(), "KCM:")
	if !ok || name == "" || strings.ContainsRune(name, 0) {
		return fmt.Errorf("%w: %s is not in %s", krberr.CCBadName, cc.Name(), k.Name())
	}
	return k.on(ctx, func(c *kcmConn) error {
		_, err := c.call(ctx, kcmRequest(kcmSetDefault, name))
		return err
	})
}

// New implements [Collection].
func (k *kcm) New(ctx context.Context, contents *Contents) (cc Cache, err error) {
	if err := checked(contents); err != nil {
		return nil, err
	}
	err = k.on(ctx, func(c *kcmConn) error {
		n, err := c.name(ctx, kcmRequest(kcmGenNew, ""))
		if err != nil {
			return err
		}
		cc = &kcmCache{k, n}
		err = c.init(ctx, n, contents)
		if err != nil {
			_, _ = c.call(ctx, kcmRequest(kcmDestroy, n)) // the first error says more
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return cc, nil
}
