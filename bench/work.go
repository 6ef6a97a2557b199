package main

import (
	"context"
	"fmt"

	"github.com/gss-go/gssapi"
)

// batch is how many operations of one kind follow each other. Those of a batch
// are made with tokens that the previous step of the batch has made.
const batch = 100

// sizes are those of the messages, in bytes.
var sizes = []int{64, 1024, 65536}

// parties are who talks to whom.
type parties struct {
	initiator, acceptor *gssapi.Cred
	target              gssapi.Name
}

// side is a pair of contexts in the making.
type side struct {
	i, a                    *gssapi.SecContext
	toAcceptor, toInitiator []byte
}

func (p *parties) init1(s *side, omit gssapi.Flags) (err error) {
	if s.i, err = gssapi.InitContext(p.target, &gssapi.InitOptions{Cred: p.initiator, Omit: omit}); err == nil {
		s.toAcceptor, _, err = s.i.Step(context.Background(), nil)
	}
	return err
}

func (p *parties) accept(s *side) (err error) {
	if s.a, err = gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: p.acceptor}); err == nil {
		s.toInitiator, _, err = s.a.Step(context.Background(), s.toAcceptor)
	}
	if err == nil && s.a.Peer().IsZero() {
		err = fmt.Errorf("nobody was authenticated")
	}
	return err
}

// init2 takes the acceptor's token, if there is one.
func (p *parties) init2(s *side) (err error) {
	if len(s.toInitiator) > 0 {
		_, _, err = s.i.Step(context.Background(), s.toInitiator)
	}
	return err
}

// establish returns both sides of a context with mutual authentication.
func (p *parties) establish() (*side, error) {
	s := new(side)
	if err := p.init1(s, 0); err != nil {
		return nil, err
	}
	if err := p.accept(s); err != nil {
		return nil, err
	}
	return s, p.init2(s)
}

func (s *side) close() error {
	if err := s.i.Close(); err != nil {
		return err
	}
	return s.a.Close()
}

// operation is one way to protect messages: making a token, and taking it.
type operation struct {
	make, take string // names
	protect    func(s *side, dst, msg []byte) ([]byte, error)
	check      func(s *side, dst, msg, token []byte) ([]byte, error)
}

var operations = []operation{
	wrapping("wrap", "unwrap", nil),
	wrapping("wrap-integ", "unwrap-integ", &gssapi.WrapOptions{IntegrityOnly: true}),
	{
		make:    "mic",
		take:    "verify",
		protect: func(s *side, dst, msg []byte) ([]byte, error) { return s.i.GetMIC(dst, msg) },
		check: func(s *side, dst, msg, token []byte) ([]byte, error) {
			return dst, s.a.VerifyMIC(msg, token)
		},
	},
	{
		make:    "wrap-aead",
		take:    "unwrap-aead",
		protect: func(s *side, dst, msg []byte) ([]byte, error) { return s.i.WrapAEAD(dst, msg, associated, nil) },
		check: func(s *side, dst, _, token []byte) ([]byte, error) {
			got, _, err := s.a.UnwrapAEAD(dst, token, associated)
			return got, err
		},
	},
}

// associated is data that goes with messages.
var associated = []byte("associated data.")

// pairs are the names of all operations with messages.
func pairs() (names [][2]string) {
	for _, o := range operations {
		names = append(names, [2]string{o.make, o.take})
	}
	return append(names, [2]string{"wrap-iov", "unwrap-iov"})
}

func wrapping(wrap, unwrap string, o *gssapi.WrapOptions) operation {
	return operation{
		make:    wrap,
		take:    unwrap,
		protect: func(s *side, dst, msg []byte) ([]byte, error) { return s.i.Wrap(dst, msg, o) },
		check: func(s *side, dst, _, token []byte) ([]byte, error) {
			got, _, err := s.a.Unwrap(dst, token)
			return got, err
		},
	}
}

// batchOf is how many messages of a size make a batch: not more than fit into a
// processor's cache.
func batchOf(size int) int { return min(batch, 262144/size) }
