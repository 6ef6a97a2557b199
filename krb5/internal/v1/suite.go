package v1

import (
	"crypto/subtle"
	"encoding/binary"
	"fmt"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// algorithms are the numbers and sizes of an encryption type.
type algorithms struct {
	sign, seal uint16 // SGN_ALG, SEAL_ALG
	sumLen     int    // bytes of SGN_CKSUM
	block      int    // messages are padded to whole blocks, by at least one byte
	order      binary.ByteOrder
	wrapUsage  uint32 // key usages of the checksum
	micUsage   uint32
}

var (
	algorithmsRC4 = algorithms{
		sign: 0x0011, seal: 0x0010, sumLen: 8, block: 1, order: binary.BigEndian,
		wrapUsage: 13, micUsage: 15, // RFC 4757 §7.3, §7.2
	}
	algorithmsDES3 = algorithms{
		sign: 0x0004, seal: 0x0002, sumLen: 20, block: 8, order: binary.LittleEndian,
		wrapUsage: 23, micUsage: 23, // KG_USAGE_SIGN of MIT's library for both
	}
)

// numbersOf returns the algorithms of an encryption type, nil for one that has
// none.
func numbersOf(id etype.ID) *algorithms {
	switch id {
	case etype.RC4:
		return &algorithmsRC4
	case etype.DES3SHA1:
		return &algorithmsDES3
	}
	return nil
}

// Algorithms returns the numbers SGN_ALG and SEAL_ALG of an encryption type, as
// they are on the wire, read as little-endian integers; 0 and 0 for a type that
// [Handles] does not name.
func Algorithms(id etype.ID) (sign, seal uint16) {
	if a := numbersOf(id); a != nil {
		return a.sign, a.seal
	}
	return 0, 0
}

// cryption is the encryption of an encryption type: raw, without any checksum.
type cryption interface {
	// number encrypts or decrypts SND_SEQ in place. sum is the SGN_CKSUM.
	number(b *[numberLen]byte, sum []byte, decrypt bool) error
	// start begins the sealing of the token with the number n; encrypt and
	// decrypt go on in it with whole blocks.
	start(n uint32)
	encrypt(dst, src []byte) error
	decrypt(dst, src []byte) error
	clear()
}

// suite is the key for one direction, with what is made of it on first use. It
// is guarded by the lock of its half.
type suite struct {
	key *enctype.Key
	algorithms

	crypt            cryption
	wrapMAC, signMAC *enctype.MAC

	// Scratch space, out of the stack's reach.
	prefix     [prefixLen]byte
	snd        [numberLen]byte
	confounder [confounderLen]byte
	sum        [32]byte
	data       [4][]byte
	parts      [][]byte // as data, of messages in pieces
	one        [8]byte  // a block that is spread over buffers
}

// prepare makes what the first call needs, and refuses all of them when the
// process must not use the algorithms any more.
func (s *suite) prepare() error {
	id := s.key.Enctype()
	if !enctype.Supported(id) {
		return fmt.Errorf("%w: %v", krberr.BadEnctype, id)
	}
	if s.crypt != nil {
		return nil
	}
	a := numbersOf(id)
	if a == nil {
		return fmt.Errorf("%w: %v has no tokens of RFC 1964", krberr.BadEnctype, id)
	}
	value := s.key.Bytes()
	defer clear(value)
	if len(value) != enctype.KeySize(id) {
		return fmt.Errorf("%w: the key was cleared", krberr.BadKeySize)
	}
	var crypt cryption
	var err error
	if id == etype.RC4 {
		crypt = newRC4(value)
	} else if crypt, err = newDES3(value); err != nil {
		return err
	}
	if s.wrapMAC, err = s.key.MAC(a.wrapUsage); err != nil {
		return err
	}
	s.signMAC = s.wrapMAC
	if a.micUsage != a.wrapUsage {
		if s.signMAC, err = s.key.MAC(a.micUsage); err != nil {
			return err
		}
	}
	s.algorithms, s.crypt = *a, crypt
	return nil
}

// clear overwrites what it can reach and makes s the zero suite.
func (s *suite) clear() {
	if s.crypt != nil {
		s.crypt.clear()
	}
	*s = suite{}
}

// checksum returns the SGN_CKSUM of a prefix and the data, in s's own space.
// They are copied there or lie in memory already: not on a stack.
func (s *suite) checksum(m *enctype.MAC, prefix, confounder, data, pad []byte) ([]byte, error) {
	s.data = [4][]byte{prefix, confounder, data, pad}
	sum := m.SumParts(s.sum[:0], s.data[:]...)
	s.data = [4][]byte{}
	if sum == nil {
		return nil, krberr.BadEnctype
	}
	return sum[:s.sumLen], nil
}

// appendNumber appends the SND_SEQ of a token.
func (s *suite) appendNumber(dst []byte, n uint32, dir byte, sum []byte) ([]byte, error) {
	s.order.PutUint32(s.snd[:], n)
	s.snd[4], s.snd[5], s.snd[6], s.snd[7] = dir, dir, dir, dir
	if err := s.crypt.number(&s.snd, sum, false); err != nil {
		return dst, err
	}
	return append(dst, s.snd[:]...), nil
}

// openNumber decrypts the SND_SEQ of a token, for number to return. ok is 1 if
// it looks like one and 0 otherwise: that is not to be told before the checksum
// is verified, and not apart from it.
func (s *suite) openNumber(number, sum []byte) (ok int, err error) {
	copy(s.snd[:], number)
	if err := s.crypt.number(&s.snd, sum, true); err != nil {
		return 0, err
	}
	d := s.snd[4]
	same := subtle.ConstantTimeByteEq(d, s.snd[5]) & subtle.ConstantTimeByteEq(d, s.snd[6]) & subtle.ConstantTimeByteEq(d, s.snd[7])
	known := subtle.ConstantTimeByteEq(d, fromInitiator) | subtle.ConstantTimeByteEq(d, fromAcceptor)
	return same & known, nil
}

// number returns what openNumber has found.
func (s *suite) number() (n uint32, dir byte) { return s.order.Uint32(s.snd[:]), s.snd[4] }
