package pkinit

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"math/bits"
	"slices"
)

// modulus is a prime of RFC 3526 made ready for arithmetic that takes the same
// time and touches the same memory whatever the numbers are: package math/big
// does neither, and the exponent is a secret. It is not safe for concurrent use.
type modulus struct {
	p   []uint64 // least significant word first
	inv uint64   // -1/p modulo 2^64
	rr  []uint64 // R^2 modulo p, where R is 2^(64*len(p))

	diff, t []uint64 // scratch
}

// The primes of RFC 3526 §3 and §5. Both are safe primes: q = (p-1)/2 is prime,
// and 2 generates the subgroup of order q.
const (
	modp2048 = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
		"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
		"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
		"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
		"15728e5a8aacaa68ffffffffffffffff"
	modp4096 = "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22514a08798e3404dd" +
		"ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
		"ee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3dc2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f" +
		"83655d23dca3ad961c62f356208552bb9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3b" +
		"e39e772c180e86039b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510" +
		"15728e5a8aaac42dad33170d04507a33a85521abdf1cba64ecfb850458dbef0a8aea71575d060c7db3970f85a6e1e4c7" +
		"abf5ae8cdb0933d71e8c94e04a25619dcee3d2261ad2ee6bf12ffa06d98a0864d87602733ec86a64521f2b18177b200c" +
		"bbe117577a615d6c770988c0bad946e208e24fa074e5ab3143db5bfce0fd108e4b82d120a92108011a723c12a787e6d7" +
		"88719a10bdba5b2699c327186af4e23c1a946834b6150bda2583e9ca2ad44ce8dbbbc2db04de8ef92e8efc141fbecaa6" +
		"287c59474e6bc05d99b2964fa090c3a2233ba186515be7ed1f612970cee2d7afb81bdd762170481cd0069127d5b05aa9" +
		"93b4ea988d8fddc186ffb7dc90a6c08f4df435c934063199ffffffffffffffff"
)

// exponentSize is the bytes of a private exponent. Twice the strength of the
// group would do (RFC 7919 §5.2), which is 225 and 325 bits.
const exponentSize = 64

func newModulus(text string) (*modulus, error) {
	b, err := hex.DecodeString(text)
	if err != nil {
		return nil, err
	}
	m := &modulus{p: words(b, len(b)/8)}
	m.diff, m.t = make([]uint64, len(m.p)), make([]uint64, len(m.p)+2)
	// Newton: each step doubles the number of correct bits.
	inv := m.p[0]
	for range 6 {
		inv *= 2 - m.p[0]*inv
	}
	m.inv = -inv
	// 2^(64*len) mod p is -p there, since p has its top bit set; doubling that
	// 64*len times gives R^2.
	m.rr = make([]uint64, len(m.p))
	var borrow uint64
	for i := range m.p {
		m.rr[i], borrow = bits.Sub64(0, m.p[i], borrow)
	}
	for range 64 * len(m.p) {
		m.double(m.rr)
	}
	return m, nil
}

// words reads a big-endian number into n words.
func words(b []byte, n int) []uint64 {
	padded := make([]byte, 8*n)
	copy(padded[8*n-len(b):], b)
	w := make([]uint64, n)
	for i := range w {
		w[i] = binary.BigEndian.Uint64(padded[8*(n-1-i):])
	}
	clear(padded)
	return w
}

// bytes is the number in big-endian order, as long as the modulus.
func (m *modulus) bytes(x []uint64) []byte {
	b := make([]byte, 0, 8*len(x))
	for _, w := range slices.Backward(x) {
		b = binary.BigEndian.AppendUint64(b, w)
	}
	return b
}

// reduce subtracts p from carry:x if that is not negative.
func (m *modulus) reduce(x []uint64, carry uint64) {
	diff := m.diff
	var borrow uint64
	for i := range x {
		diff[i], borrow = bits.Sub64(x[i], m.p[i], borrow)
	}
	_, borrow = bits.Sub64(carry, 0, borrow)
	mask := borrow - 1 // all ones if there was no borrow
	for i := range x {
		x[i] ^= mask & (x[i] ^ diff[i])
	}
}

func (m *modulus) double(x []uint64) {
	var carry uint64
	for i := range x {
		x[i], carry = bits.Add64(x[i], x[i], carry)
	}
	m.reduce(x, carry)
}

// mul sets out to a*b/R modulo p (Montgomery). out may be a or b.
func (m *modulus) mul(out, a, b []uint64) {
	n := len(m.p)
	t := m.t
	clear(t)
	for i := range n {
		var carry uint64
		for j := range n {
			t[j], carry = mulAdd(a[j], b[i], t[j], carry)
		}
		var c uint64
		t[n], c = bits.Add64(t[n], carry, 0)
		t[n+1] = c
		k := t[0] * m.inv
		_, carry = mulAdd(k, m.p[0], t[0], 0)
		for j := 1; j < n; j++ {
			t[j-1], carry = mulAdd(k, m.p[j], t[j], carry)
		}
		t[n-1], c = bits.Add64(t[n], carry, 0)
		t[n] = t[n+1] + c
	}
	m.reduce(t[:n], t[n])
	copy(out, t[:n])
}

// mulAdd returns x*y + a + b, which fits two words.
func mulAdd(x, y, a, b uint64) (lo, hi uint64) {
	hi, lo = bits.Mul64(x, y)
	var c uint64
	lo, c = bits.Add64(lo, a, 0)
	hi += c
	lo, c = bits.Add64(lo, b, 0)
	return lo, hi + c
}

// exp returns base to the power of e modulo p, for a base less than p, in steps
// of four bits: each takes the same time, and reads all of the table.
func (m *modulus) exp(base []uint64, e []byte) []uint64 {
	n := len(m.p)
	one := make([]uint64, n)
	one[0] = 1
	var table [16][]uint64
	for i := range table {
		table[i] = make([]uint64, n)
		switch i {
		case 0:
			m.mul(table[i], one, m.rr)
		case 1:
			m.mul(table[i], base, m.rr)
		default:
			m.mul(table[i], table[i-1], table[1])
		}
	}
	x, pick := slices.Clone(table[0]), make([]uint64, n)
	for _, b := range e {
		for _, digit := range [2]byte{b >> 4, b & 15} {
			for range 4 {
				m.mul(x, x, x)
			}
			for i := range table {
				mask := -uint64(subtle.ConstantTimeByteEq(byte(i), digit))
				for j := range pick {
					pick[j] ^= mask & (pick[j] ^ table[i][j])
				}
			}
			m.mul(x, x, pick)
		}
	}
	m.mul(x, x, one)
	clear(pick)
	clear(m.t)
	clear(m.diff)
	return x
}

// valid reports whether 1 < y < p-1: the other numbers generate nothing but
// themselves and 1. It is about a public number.
func (m *modulus) valid(y []uint64) bool {
	low := slices.Clone(y)
	if low[0]&^1 == 0 && !slices.ContainsFunc(low[1:], func(w uint64) bool { return w != 0 }) {
		return false
	}
	top := slices.Clone(m.p)
	top[0]-- // p is odd
	for i, w := range slices.Backward(y) {
		if w != top[i] {
			return w < top[i]
		}
	}
	return false
}

// newExponent returns a private exponent.
func newExponent() ([]byte, error) {
	x := make([]byte, exponentSize)
	_, err := rand.Read(x)
	return x, err
}
