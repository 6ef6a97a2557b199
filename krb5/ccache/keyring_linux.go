package ccache

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// supported are the types of caches on this system.
const supported = "FILE, DIR, KCM and KEYRING"

// own is the keyring of the thread, to which we link what we use: only who has a
// key in a keyring of its own may read it, and what the user's keyring has does
// not count.
const own = unix.KEY_SPEC_THREAD_KEYRING

// keyring is a collection in the kernel: a keyring whose keyrings are caches.
type keyring struct{ name keyringName }

var _ Collection = (*keyring)(nil)

func openKeyring(rest string) (Collection, error) {
	n, err := parseKeyringName(rest)
	if err != nil {
		return nil, err
	}
	if n.cache != "" {
		return NewSingle(&keyringCache{n}), nil
	}
	return &keyring{n}, nil
}

// sessionRing returns the ring to write to for the session. A process without a
// session keyring of its own reads the user's, but writing would give it an
// empty new one.
func sessionRing() int {
	s, err1 := unix.KeyctlGetKeyringID(unix.KEY_SPEC_SESSION_KEYRING, false)
	u, err2 := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_SESSION_KEYRING, false)
	if err1 == nil && err2 == nil && s == u {
		return unix.KEY_SPEC_USER_SESSION_KEYRING
	}
	return unix.KEY_SPEC_SESSION_KEYRING
}

// ring returns the keyring of the collection, made if it is wanted and there is
// none.
func (n keyringName) ring(create bool) (int, error) {
	parent, possess := 0, own
	switch n.anchor {
	case "persistent":
		uid, err := n.uid()
		if err != nil {
			return 0, err
		}
		parent, err = unix.KeyctlInt(unix.KEYCTL_GET_PERSISTENT, uid, own, 0, 0)
		if errors.Is(err, unix.EOPNOTSUPP) && uid == os.Geteuid() {
			parent, err = unix.KEY_SPEC_USER_KEYRING, nil
		}
		if err != nil {
			return 0, keyError(krberr.CCIO, fmt.Sprintf("persistent keyring of user %d", uid), err)
		}
	case "user":
		parent = unix.KEY_SPEC_USER_KEYRING
	default:
		parent, possess = sessionRing(), 0
	}
	id, err := keySearch(parent, "keyring", n.keyring(), possess)
	if gone(err) && create {
		if possess == 0 {
			id, err = unix.AddKey("keyring", n.keyring(), nil, parent)
		} else if id, err = unix.AddKey("keyring", n.keyring(), nil, possess); err == nil {
			err = keyLink(id, parent)
		}
	}
	if err != nil {
		return 0, keyError(krberr.CCIO, n.String(), err)
	}
	return id, nil
}

// primaryName returns the name of the collection's primary.
func (n keyringName) primaryName(ring int) (string, error) {
	id, err := keySearch(ring, "user", keyPrimary, 0)
	if gone(err) {
		return n.first(), nil
	}
	var b []byte
	if err == nil {
		b, err = keyRead(id)
	}
	if err != nil {
		return "", keyError(krberr.CCIO, n.String(), err)
	}
	return parseKeyPrimary(b)
}

// Name implements [Collection].
func (k *keyring) Name() string { return k.name.String() }

func (k *keyring) cache(name string) *keyringCache {
	n := k.name
	n.cache = name
	return &keyringCache{n}
}

// Caches implements [Collection].
func (k *keyring) Caches(ctx context.Context) (list []Cache, err error) {
	err = onThread(ctx, func() error {
		ring, err := k.name.ring(false)
		if err != nil {
			return err
		}
		b, err := keyRead(ring)
		if err != nil {
			return keyError(krberr.CCIO, k.Name(), err)
		}
		var names []string
		list = nil
		for _, id := range parseSerials(b) {
			kind, name, err := keyDescribe(id)
			if err == nil && kind == "keyring" && name != "" {
				names = append(names, name)
			}
		}
		primary, err := k.name.primaryName(ring)
		if err != nil && !errors.Is(err, krberr.CCFormat) {
			return err
		}
		for _, n := range primaryFirst(names, primary) {
			// Those that have expired are still in the list.
			if _, err := keySearch(ring, "keyring", n, 0); err == nil {
				list = append(list, k.cache(n))
			}
		}
		return nil
	})
	if errors.Is(err, krberr.FCCNoFile) {
		return nil, nil
	}
	return list, err
}

// Primary implements [Collection].
func (k *keyring) Primary(ctx context.Context) (Cache, error) {
	name := k.name.first()
	err := onThread(ctx, func() error {
		ring, err := k.name.ring(false)
		if err == nil {
			name, err = k.name.primaryName(ring)
		}
		return err
	})
	if err != nil && !errors.Is(err, krberr.FCCNoFile) {
		return nil, err
	}
	return k.cache(name), nil
}

// Switch implements [Collection].
func (k *keyring) Switch(ctx context.Context, c Cache) error {
	rest, ok := strings.CutPrefix(c.Name(), "KEYRING:")
	n, err := parseKeyringName(rest)
	name := n.cache
	if n.cache = ""; !ok || err != nil || name == "" || n != k.name {
		return fmt.Errorf("%w: %s is not in %s", krberr.CCBadName, c.Name(), k.Name())
	}
	return onThread(ctx, func() error {
		ring, err := k.name.ring(true)
		if err != nil {
			return err
		}
		if _, err := unix.AddKey("user", keyPrimary, appendKeyPrimary(nil, name), ring); err != nil {
			return keyError(krberr.CCWrite, k.Name(), err)
		}
		return nil
	})
}

// New implements [Collection].
func (k *keyring) New(ctx context.Context, c *Contents) (Cache, error) {
	cc := k.cache(keyUnique + rand.Text()[:8])
	if err := cc.Init(ctx, c); err != nil {
		return nil, err
	}
	return cc, nil
}
