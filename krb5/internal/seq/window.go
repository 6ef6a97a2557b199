// Package seq checks the sequence numbers of per-message tokens.
package seq

import gsserr "github.com/gss-go/gssapi/errors"

// size is how many numbers behind the highest one are remembered: the bits of
// the map.
const size = 64

// Window remembers which sequence numbers a peer has used (RFC 2743 §1.2.3,
// RFC 4121 §4.2.6). Numbers are taken relative to the first one, so that they
// may wrap, and the verdicts are those of MIT's library:
//
//   - the next number is accepted, and so is a later one, as ErrGapToken if
//     order is wanted;
//   - one of the 64 before that is ErrDuplicateToken if it was seen and replays
//     are to be found, else ErrUnseqToken if order is wanted;
//   - an older one is ErrUnseqToken if order is wanted, else ErrOldToken.
//
// The zero Window wants neither and accepts everything. A Window is a value: a
// copy goes on by itself. It is not safe for concurrent use.
type Window struct {
	replay, sequence bool
	// mask is the range of the numbers, first the one that is subtracted.
	mask, first uint64
	// next is one more than the highest relative number seen. Bit i of seen
	// stands for the number next-1-i.
	next, seen uint64
}

// New returns a window that expects first. replay asks for duplicates and old
// tokens to be found, sequence for tokens out of order. Numbers have 64 bits if
// wide, else 32 (RFC 1964 §1.2.1); of first and of what Check is given the other
// bits are ignored.
func New(first uint64, replay, sequence, wide bool) Window {
	w := Window{replay: replay, sequence: sequence, mask: 1<<32 - 1}
	if wide {
		w.mask = 1<<64 - 1
	}
	w.first = first & w.mask
	return w
}

// Check records the number n of a token and returns 0, ErrDuplicateToken,
// ErrOldToken, ErrUnseqToken or ErrGapToken. The token must have been verified
// before: a forged number would move the window.
func (w *Window) Check(n uint64) gsserr.Major {
	if !w.replay && !w.sequence {
		return 0
	}
	n = (n - w.first) & w.mask
	if n >= w.next {
		return w.advance(n)
	}
	back := w.next - n // at least 1
	if back > size {
		if w.sequence {
			return gsserr.ErrUnseqToken
		}
		return gsserr.ErrOldToken
	}
	bit := uint64(1) << (back - 1)
	if w.replay && w.seen&bit != 0 {
		return gsserr.ErrDuplicateToken
	}
	w.seen |= bit
	if w.sequence {
		return gsserr.ErrUnseqToken
	}
	return 0
}

// advance moves the window up to the relative number n, which is new.
func (w *Window) advance(n uint64) gsserr.Major {
	gap := n - w.next
	if gap < size {
		w.seen = w.seen<<(gap+1) | 1
	} else {
		w.seen = 1 // apart, as gap+1 may overflow
	}
	w.next = (n + 1) & w.mask
	if gap > 0 && w.sequence {
		return gsserr.ErrGapToken
	}
	return 0
}
