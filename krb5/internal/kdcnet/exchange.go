// Package kdcnet carries messages to a KDC and back.
package kdcnet

import (
	"context"

	"github.com/gss-go/gssapi/krb5/conf"
)

// Service is what a request is for.
type Service uint8

const (
	KDC      Service = iota // any KDC of the realm
	Primary                 // the KDC that knows the newest passwords
	Password                // the password service (RFC 3244)
)

// Request is one message to a realm's servers.
type Request struct {
	Realm   string
	Service Service
	// Message is the request without the length that TCP puts in front.
	Message []byte
	// TCP asks for TCP from the start: the answer did not fit UDP.
	TCP bool
	// Prefer is the address of the server that answered the request before
	// this one, "" if none: some exchanges must go on with the same KDC.
	Prefer string
	// Avoid is the address of a server that has answered already, "" if none:
	// a [Primary] that is this one is as good as no primary at all.
	Avoid string
	// Answered, if not nil, is called at most once, before Exchange returns,
	// with the address to put into Prefer of the next request. An Exchanger
	// that knows no addresses does not call it.
	Answered func(server string)
	// Config is the configuration of the mechanism that asks, never nil.
	Config *conf.Config
}

// Exchanger sends a request and returns the reply, without a length in front.
// Implementations must be safe for concurrent use, must not keep or modify the
// request, and must give up when ctx does. What is returned is not trusted.
type Exchanger interface {
	Exchange(ctx context.Context, r *Request) ([]byte, error)
}
