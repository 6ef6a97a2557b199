package apreq

import (
	"testing"

	"github.com/gss-go/gssapi/krb5/internal/wire"
)

func BenchmarkAccept(b *testing.B) {
	for _, id := range types {
		b.Run(id.String(), func(b *testing.B) {
			s := newScene(b, id)
			s.acceptor.Replay = replay{fresh: true} // the same request each time
			msg := s.request(b).Append(nil)
			b.ReportAllocs()
			for b.Loop() {
				req, err := wire.ParseAPReq(msg)
				if err != nil {
					b.Fatal(err)
				}
				acc, _, err := s.acceptor.Accept(ctx, req)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := acc.Terms(nil, false); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRequestAppend(b *testing.B) {
	for _, id := range types {
		b.Run(id.String(), func(b *testing.B) {
			s := newScene(b, id)
			r := s.initiator(b)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = r.Append(dst[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReply(b *testing.B) {
	for _, id := range types {
		b.Run(id.String(), func(b *testing.B) {
			session := newKey(b, id)
			r := Reply{Time: noon, Subkey: newKey(b, id), Seq: NewSeq()}
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = r.Append(dst[:0], session); err != nil {
					b.Fatal(err)
				}
				got, err := OpenReply(dst, session)
				if err != nil {
					b.Fatal(err)
				}
				got.Subkey.Clear()
			}
		})
	}
}
