package cfx

import (
	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Key usage numbers (RFC 4121 §2). They go by who sends, and a Wrap token uses
// the seal usage for its checksum too.
const (
	usageAcceptorSeal  = 22
	usageAcceptorSign  = 23
	usageInitiatorSeal = 24
	usageInitiatorSign = 25
)

// suite is one key for one direction, with what is derived from it on first
// use. It is guarded by the lock of its half.
type suite struct {
	key        *enctype.Key
	seal, sign uint32 // key usages

	cipher           *enctype.Cipher
	wrapMAC, signMAC *enctype.MAC
}

// newSuite returns a suite for what the initiator or the acceptor sends.
func newSuite(k *enctype.Key, initiator bool) suite {
	if initiator {
		return suite{key: k, seal: usageInitiatorSeal, sign: usageInitiatorSign}
	}
	return suite{key: k, seal: usageAcceptorSeal, sign: usageAcceptorSign}
}

// clear overwrites what it can reach and makes s the zero suite.
func (s *suite) clear() {
	if s.cipher != nil {
		s.cipher.Clear()
	}
	*s = suite{}
}

// sealing returns the cipher of sealed Wrap tokens.
func (s *suite) sealing() (*enctype.Cipher, error) {
	if s.cipher == nil {
		c, err := s.key.Cipher(s.seal)
		if err != nil {
			return nil, err
		}
		s.cipher = c
	}
	return s.cipher, nil
}

// wrapping returns the MAC of Wrap tokens that are not sealed.
func (s *suite) wrapping() (*enctype.MAC, error) { return s.mac(&s.wrapMAC, s.seal) }

// signing returns the MAC of MIC tokens.
func (s *suite) signing() (*enctype.MAC, error) { return s.mac(&s.signMAC, s.sign) }

func (s *suite) mac(p **enctype.MAC, usage uint32) (*enctype.MAC, error) {
	if *p == nil {
		m, err := s.key.MAC(usage)
		if err != nil {
			return nil, err
		}
		*p = m
	}
	return *p, nil
}

// sum appends the checksum of msg and a header. Without one, because the
// process must not use the algorithm any more, there is no token.
func sum(m *enctype.MAC, dst, msg, header []byte) ([]byte, error) {
	out := m.Sum(dst, msg, header)
	if out == nil {
		return nil, krberr.BadEnctype
	}
	return out, nil
}
