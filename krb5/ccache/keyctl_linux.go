package ccache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// maxKey is the largest payload that the kernel takes, in bytes.
const maxKey = 1 << 20

// How often, and how long at first, to wait for the kernel to give back the quota
// of keys that are no more. That of a thread's keyring is one of them.
const (
	quotaTries = 6
	quotaWait  = 4 * time.Millisecond
)

// onThread calls f on a thread of its own that ends with it. Who may use a key
// depends on the keyrings of the thread that asks, and what hangs from this
// one's keyring is gone when f returns. When the user's quota is used up f is
// called again, a few times.
func onThread(ctx context.Context, f func() error) error {
	wait := quotaWait
	for try := 1; ; try++ {
		if err := context.Cause(ctx); err != nil {
			return err
		}
		done := make(chan error)
		go func() {
			runtime.LockOSThread() // and never unlock: so the thread ends
			done <- f()
		}()
		err := <-done
		if !errors.Is(err, unix.EDQUOT) || try == quotaTries {
			return err
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		wait *= 2
	}
}

// keyError gives an error of the kernel its code.
func keyError(code krberr.Code, what string, err error) error {
	switch {
	case gone(err):
		return fmt.Errorf("%w: %s: %w: %w", krberr.FCCNoFile, what, fs.ErrNotExist, err)
	case errors.Is(err, fs.ErrPermission):
		code = krberr.FCCPerm
	case errors.Is(err, unix.ENOSYS):
		code = krberr.CCNoSupp
	}
	return fmt.Errorf("%w: %s: %w", code, what, err)
}

// gone reports whether the error says that there is no such key, or no longer.
func gone(err error) bool {
	return errors.Is(err, unix.ENOKEY) || errors.Is(err, unix.EKEYEXPIRED) || errors.Is(err, unix.EKEYREVOKED)
}

// keySearch finds a key below a ring and links it to another, 0 for none. A user
// whose quota is used up has no room for the link, and does not need it where
// the session leads to the key as well.
func keySearch(ring int, kind, name string, link int) (int, error) {
	id, err := unix.KeyctlSearch(ring, kind, name, link)
	if link != 0 && errors.Is(err, unix.EDQUOT) {
		return unix.KeyctlSearch(ring, kind, name, 0)
	}
	return id, err
}

func keyLink(key, ring int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_LINK, key, ring, 0, 0)
	return err
}

func keyUnlink(key, ring int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_UNLINK, key, ring, 0, 0)
	return err
}

func keyClear(ring int) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_CLEAR, ring, 0, 0, 0)
	return err
}

// keyTimeout makes a key expire after some seconds, at least one: zero would be
// never.
func keyTimeout(key int, seconds int64) error {
	_, err := unix.KeyctlInt(unix.KEYCTL_SET_TIMEOUT, key, int(min(max(seconds, 1), 1<<31-1)), 0, 0)
	return err
}

// keyRead returns the payload of a key.
func keyRead(key int) ([]byte, error) {
	for size := 4 << 10; size <= 2*maxKey; size *= 2 {
		b := make([]byte, size)
		n, err := unix.KeyctlBuffer(unix.KEYCTL_READ, key, b, 0)
		if err != nil {
			return nil, err
		}
		if n <= size {
			return b[:n], nil
		}
	}
	return nil, unix.E2BIG
}

// keyDescribe returns the type and the name of a key.
func keyDescribe(key int) (kind, name string, err error) {
	text, err := unix.KeyctlString(unix.KEYCTL_DESCRIBE, key)
	if err != nil {
		return "", "", err
	}
	kind, name, ok := parseKeyDescription(text)
	if !ok {
		return "", "", unix.EBADMSG
	}
	return kind, name, nil
}

// addCredentialKey adds a key with a ticket. Tickets can be larger than a key of
// type user may be; a kernel without big_key says EINVAL or ENODEV.
func addCredentialKey(name string, payload []byte, ring int, userOnly bool) (int, error) {
	if !userOnly {
		id, err := unix.AddKey("big_key", name, payload, ring)
		if !errors.Is(err, unix.EINVAL) && !errors.Is(err, unix.ENODEV) {
			return id, err
		}
	}
	return unix.AddKey("user", name, payload, ring)
}
