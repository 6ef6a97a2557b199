package kkdcp

import (
	"bufio"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
)

// once makes a connection for one request. Unlike [http.Transport] it starts no
// goroutine that could outlive the exchange.
type once struct {
	dial   func(ctx context.Context, network, addr string) (net.Conn, error)
	config *tls.Config
}

// RoundTrip implements [http.RoundTripper]. The request's context governs the
// body, too.
func (o *once) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	port := req.URL.Port()
	if port == "" {
		port = "443"
	}
	conn, err := o.dial(ctx, "tcp", net.JoinHostPort(req.URL.Hostname(), port))
	if err != nil {
		return nil, because(ctx, err)
	}
	release := guard(ctx, conn)
	secure := tls.Client(conn, o.config)
	resp, err := roundTrip(ctx, secure, req)
	if err != nil {
		release()
		return nil, because(ctx, err)
	}
	resp.Body = &body{resp.Body, ctx, release}
	return resp, nil
}

func roundTrip(ctx context.Context, conn *tls.Conn, req *http.Request) (*http.Response, error) {
	// The connection is closed when the context ends: the handshake needs no
	// goroutine of its own to watch it.
	if err := conn.Handshake(); err != nil {
		return nil, err
	}
	req = req.Clone(ctx)
	req.Close = true
	if err := req.Write(conn); err != nil {
		return nil, err
	}
	// What reads the head of a response has no limit of its own.
	in := bufio.NewReader(io.LimitReader(conn, maxResponse))
	for {
		resp, err := http.ReadResponse(in, req)
		if err != nil {
			return nil, err
		}
		if resp.StatusCode >= 200 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
}

// body is a response's body; to close it ends the connection.
type body struct {
	io.ReadCloser
	ctx     context.Context
	release func()
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = because(b.ctx, err)
	}
	return n, err
}

func (b *body) Close() error {
	b.release()
	return nil
}

// guard closes conn when ctx ends, which unblocks its readers and writers. The
// function it returns closes conn too, and returns when nothing uses it any more.
func guard(ctx context.Context, conn net.Conn) (release func()) {
	done := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(done)
		_ = conn.Close()
	})
	return func() {
		if !stop() {
			<-done
		}
		_ = conn.Close()
	}
}

// because replaces the error of a connection that guard closed by the reason.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
