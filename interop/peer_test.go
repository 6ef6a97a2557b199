package interop

import (
	"encoding/binary"
	"fmt"
	"io"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	gsserr "github.com/gss-go/gssapi/errors"
)

// peer is a running gsspeer: one side of a context on MIT's libgssapi. The frames
// are described in c/peer.h.
type peer struct {
	t   *testing.T
	cmd *exec.Cmd
	in  io.WriteCloser
	out io.Reader
	err strings.Builder
}

// startPeer starts a peer in the role "initiate" or "accept".
func startPeer(t *testing.T, env []string, role string, args ...string) *peer {
	t.Helper()
	return startProgram(t, programs.peer, env, append([]string{role}, args...)...)
}

// startProgram starts a program that talks like gsspeer.
func startProgram(t *testing.T, path string, env []string, args ...string) *peer {
	t.Helper()
	cmd, err := realm.Command(path, args...)
	require.NoError(t, err)
	p := &peer{t: t, cmd: cmd}
	cmd.Env = append(cmd.Env, env...)
	cmd.Stderr = &p.err
	p.in, err = cmd.StdinPipe()
	require.NoError(t, err)
	p.out, err = cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = p.in.Close()       // the peer ends at the end of its input
		_ = cmd.Process.Kill() // or so
		_ = cmd.Wait()         // killed: its status says nothing
	})
	return p
}

func (p *peer) write(frame []byte) error {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(frame)), uint32(len(frame)))
	_, err := p.in.Write(append(b, frame...))
	return err
}

func (p *peer) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(p.out, head[:]); err != nil {
		return nil, fmt.Errorf("peer: %w %s", err, p.err.String())
	}
	frame := make([]byte, binary.BigEndian.Uint32(head[:]))
	_, err := io.ReadFull(p.out, frame)
	return frame, err
}

// send and recv carry tokens, for Exchange.
func (p *peer) send(token []byte) error { return p.write(token) }

func (p *peer) recv() ([]byte, error) {
	frame, err := p.read()
	if err != nil {
		return nil, err
	}
	if len(frame) == 0 || frame[0] != 'T' {
		return nil, fmt.Errorf("peer: no token but %q", frame)
	}
	return frame[1:], nil
}

// report is what a peer says of its context.
type report struct {
	initiator, acceptor, mech string
	flags                     uint32
	lifetime                  int
	local, open               bool
}

// established waits for the peer's report. A peer that failed is an error with
// its reason.
func (p *peer) established() (*report, error) {
	frame, err := p.read()
	if err != nil {
		return nil, err
	}
	if len(frame) == 0 || frame[0] != 'O' {
		return nil, fmt.Errorf("peer: no context but %q", frame)
	}
	r := new(report)
	for line := range strings.Lines(string(frame[1:])) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "initiator":
			r.initiator = value
		case "acceptor":
			r.acceptor = value
		case "mech":
			r.mech = value
		case "flags":
			var f uint64
			f, err = strconv.ParseUint(value, 16, 32)
			r.flags = uint32(f)
		case "lifetime":
			r.lifetime, err = strconv.Atoi(value)
		case "local":
			r.local = value == "1"
		case "open":
			r.open = value == "1"
		}
		if err != nil {
			return nil, err
		}
	}
	return r, nil
}

// ask sends a command and returns its result, and the status if it is not 0.
func (p *peer) ask(command byte, parts ...[]byte) ([]byte, error) {
	p.t.Helper()
	frame := []byte{command}
	for _, b := range parts {
		frame = append(frame, b...)
	}
	require.NoError(p.t, p.write(frame))
	answer, err := p.read()
	require.NoError(p.t, err)
	require.GreaterOrEqual(p.t, len(answer), 4)
	if m := gsserr.Major(binary.BigEndian.Uint32(answer)); m != 0 {
		return answer[4:], m
	}
	return answer[4:], nil
}

func (p *peer) wrap(msg []byte, encrypt bool) []byte {
	p.t.Helper()
	command := byte('i')
	if encrypt {
		command = 'w'
	}
	token, err := p.ask(command, msg)
	require.NoError(p.t, err)
	return token
}

func (p *peer) mic(msg []byte) []byte {
	p.t.Helper()
	token, err := p.ask('m', msg)
	require.NoError(p.t, err)
	return token
}

// unwrap returns the message, whether it was encrypted, and the status.
func (p *peer) unwrap(token []byte) ([]byte, bool, error) {
	p.t.Helper()
	b, err := p.ask('u', token)
	if len(b) == 0 {
		return nil, false, err
	}
	return b[1:], b[0] == 1, err
}

func (p *peer) verify(msg, mic []byte) error {
	p.t.Helper()
	_, err := p.ask('v', binary.BigEndian.AppendUint32(nil, uint32(len(msg))), msg, mic)
	return err
}

func (p *peer) sizeLimit(encrypt bool, size int) int {
	p.t.Helper()
	conf := byte(0)
	if encrypt {
		conf = 1
	}
	b, err := p.ask('l', []byte{conf}, binary.BigEndian.AppendUint32(nil, uint32(size)))
	require.NoError(p.t, err)
	return int(binary.BigEndian.Uint32(b))
}

func (p *peer) prf(full bool, seed []byte, n int) []byte {
	p.t.Helper()
	key := byte(0)
	if full {
		key = 1
	}
	b, err := p.ask('p', []byte{key}, binary.BigEndian.AppendUint32(nil, uint32(n)), seed)
	require.NoError(p.t, err)
	return b
}
