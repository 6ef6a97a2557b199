package interop

import (
	"bytes"
	"crypto/hmac"
	"crypto/md5"
	"encoding/binary"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// radius is as much of a RADIUS server (RFC 2865) as a KDC needs to check a
// one-time password. Each value is good once.
type radius struct {
	conn   net.PacketConn
	secret []byte

	mu     sync.Mutex
	values map[string][]string // by user
	asked  int
}

func newRADIUS(t testing.TB, secret string) *radius {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	require.NoError(t, err)
	r := &radius{conn: conn, secret: []byte(secret), values: make(map[string][]string)}
	var served sync.WaitGroup
	served.Go(r.serve)
	t.Cleanup(func() { conn.Close(); served.Wait() })
	return r
}

func (r *radius) addr() string { return r.conn.LocalAddr().String() }

func (r *radius) set(user string, values ...string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.values[user], r.asked = values, 0
}

func (r *radius) serve() {
	b := make([]byte, 4096)
	for {
		n, from, err := r.conn.ReadFrom(b)
		if err != nil {
			return
		}
		if reply := r.answer(b[:n]); reply != nil {
			_, _ = r.conn.WriteTo(reply, from)
		}
	}
}

func (r *radius) answer(b []byte) []byte {
	const accept, reject = 2, 3
	if len(b) < 20 || b[0] != 1 || int(binary.BigEndian.Uint16(b[2:])) != len(b) {
		return nil
	}
	authenticator := b[4:20]
	var user string
	var hidden []byte
	signed := false
	for a := b[20:]; len(a) >= 2 && int(a[1]) >= 2 && int(a[1]) <= len(a); a = a[a[1]:] {
		switch value := a[2:a[1]]; a[0] {
		case 1:
			user = string(value)
		case 2:
			hidden = value
		case 80:
			signed = true
		}
	}
	var password []byte
	last := authenticator
	for ; len(hidden) >= 16; hidden = hidden[16:] {
		mask := md5.Sum(append(bytes.Clone(r.secret), last...))
		for i, c := range hidden[:16] {
			password = append(password, c^mask[i])
		}
		last = hidden[:16]
	}
	given := string(bytes.TrimRight(password, "\x00"))
	reply := []byte{reject, b[1], 0, 20}
	r.mu.Lock()
	r.asked++
	for i, v := range r.values[user] {
		if v == given {
			reply[0] = accept
			r.values[user] = append(r.values[user][:i:i], r.values[user][i+1:]...)
			break
		}
	}
	r.mu.Unlock()
	reply = append(reply, authenticator...)
	if signed { // Message-Authenticator, RFC 3579 §3.2
		reply = append(reply, 80, 18)
		reply = append(reply, make([]byte, 16)...)
		reply[3] = byte(len(reply))
		h := hmac.New(md5.New, r.secret)
		h.Write(reply)
		copy(reply[22:], h.Sum(nil))
	}
	sum := md5.Sum(append(bytes.Clone(reply), r.secret...))
	copy(reply[4:], sum[:])
	return reply
}
