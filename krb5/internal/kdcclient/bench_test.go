package kdcclient

import (
	"context"
	"testing"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
)

// stopwatch is an Exchanger that measures how long the fake KDC takes, so that
// the client's own share can be told: the metric client-ns/op. The allocations
// are those of both.
type stopwatch struct {
	k     *fakeKDC
	spent time.Duration
}

func (s *stopwatch) Exchange(ctx context.Context, r *kdcnet.Request) ([]byte, error) {
	begin := time.Now()
	reply, err := s.k.Exchange(ctx, r)
	s.k.requests, s.k.seen, s.k.replies, s.k.parts = s.k.requests[:0], s.k.seen[:0], s.k.replies[:0], s.k.parts[:0]
	s.spent += time.Since(begin)
	return reply, err
}

func (s *stopwatch) run(b *testing.B, op func() error) {
	s.spent = 0
	b.ReportAllocs()
	for b.Loop() {
		if err := op(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed()-s.spent)/float64(b.N), "client-ns/op")
}

// BenchmarkLogin is an AS exchange by key with an encrypted timestamp: two
// requests.
func BenchmarkLogin(b *testing.B) {
	for _, id := range allTypes {
		b.Run(id.String(), func(b *testing.B) {
			s := &stopwatch{k: newKDC(b)}
			c := newClient(b, s, "")
			c.Enctypes = []etype.ID{id}
			r := byKey(id)
			s.run(b, func() error {
				_, err := c.Login(b.Context(), r)
				return err
			})
		})
	}
}

// BenchmarkTicket is a TGS exchange.
func BenchmarkTicket(b *testing.B) {
	for _, id := range allTypes {
		b.Run(id.String(), func(b *testing.B) {
			s := &stopwatch{k: newKDC(b)}
			c := newClient(b, s, "")
			c.Enctypes = []etype.ID{id}
			tgt := getTGT(b, c)
			s.run(b, func() error {
				_, err := c.Ticket(b.Context(), tgt, imap, nil)
				return err
			})
		})
	}
}
