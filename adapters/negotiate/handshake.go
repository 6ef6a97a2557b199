package negotiate

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/gss-go/gssapi"
)

// maxLegs bounds the tokens that are sent in one handshake. Kerberos needs one,
// or two after a negotiation.
const maxLegs = 8

// side is whom a client authenticates to.
type side struct {
	what      string
	status    int
	challenge string // header fields, in canonical form
	answer    string
	info      string
}

var (
	server = &side{"server", http.StatusUnauthorized, "Www-Authenticate", "Authorization", "Authentication-Info"}
	proxy  = &side{"proxy", http.StatusProxyAuthRequired, "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info"}
)

var (
	errLegs      = errors.New("negotiate: the server does not come to an end of the handshake")
	errHTTP2     = errors.New("negotiate: the handshake takes a second request on the same connection, which HTTP/2 does not have: use a Base that can be made to speak HTTP/1.1")
	errNoHTTP1   = errors.New("negotiate: authentication goes over HTTP/1.1, which the server does not have")
	errRefused   = errors.New("negotiate: the credentials were refused")
	errShort     = errors.New("negotiate: the handshake is not complete")
	errMalformed = errors.New("negotiate: malformed challenge")
)

// handshake is the client's side of a context with a server or a proxy.
type handshake struct {
	side        *side
	scheme      string
	target      gssapi.Name
	sc          *gssapi.SecContext
	token       []byte   // to be sent next
	established bool     // our side is
	legs        int      // tokens made
	conn        net.Conn // of the last token, nil if not known
}

// begin makes the first token.
func (t *Transport) begin(ctx context.Context, s *side, scheme string, r *http.Request, b *gssapi.ChannelBindings) (*handshake, error) {
	target := gssapi.HostBased("HTTP", r.URL.Hostname())
	if t.TargetName != nil {
		var err error
		if target, err = t.TargetName(r); err != nil {
			return nil, err
		}
	}
	o := gssapi.InitOptions{Cred: t.Cred, Registry: t.Registry, Bindings: b}
	if t.Mutual == Disabled {
		o.Omit = gssapi.FlagMutual
	}
	if s == server && t.Delegate != nil && t.Delegate(r) {
		o.Flags = gssapi.FlagDeleg
	}
	reg := t.Registry
	switch {
	case t.Cred != nil:
		reg = t.Cred.Registry()
	case reg == nil:
		reg = gssapi.DefaultRegistry()
	}
	want := gssapi.SPNEGO
	if scheme == schemeKerberos {
		want = gssapi.Krb5
	}
	if _, err := reg.Lookup(want); err == nil {
		o.Mech = want // otherwise the default: raw tokens of a mechanism are understood too
	}
	sc, err := gssapi.InitContext(target, &o)
	if err != nil {
		return nil, err
	}
	h := &handshake{side: s, scheme: scheme, target: target, sc: sc}
	if err := h.step(ctx, nil); err != nil {
		return nil, errors.Join(err, sc.Close())
	}
	t.log().DebugContext(ctx, "handshake begun", "with", s.what, "target", target.String(), "mech", o.Mech.String(),
		"bindings", b != nil, "size", len(h.token))
	return h, nil
}

// step takes the peer's token.
func (h *handshake) step(ctx context.Context, in []byte) error {
	out, more, err := h.sc.Step(ctx, in)
	if err != nil {
		return err
	}
	h.established = !more
	h.token = out
	if len(out) > 0 {
		h.legs++
	}
	return nil
}

// set sets the header field of a request.
func (h *handshake) set(header http.Header) {
	header.Set(h.side.answer, encode(h.scheme, h.token))
}

// verify takes the token that comes with a success. It returns whether the peer
// has authenticated itself with it.
func (h *handshake) verify(ctx context.Context, header http.Header) (ok bool, err error) {
	token, _, err := findChallenge(header[h.side.challenge], h.scheme)
	if err == nil && token == nil {
		token, err = findToken(header[h.side.info], h.scheme)
	}
	switch {
	case err != nil:
		return false, err
	case h.established: // with the token of a challenge
		return h.sc.Info().Flags.Has(gssapi.FlagMutual), nil
	case token == nil:
		return false, nil
	}
	if err := h.step(ctx, token); err != nil {
		return false, err
	}
	if !h.established || len(h.token) > 0 {
		return false, errShort
	}
	return h.sc.Info().Flags.Has(gssapi.FlagMutual), nil
}

// close ends the context. The handshake may be nil.
func (h *handshake) close() {
	if h != nil {
		_ = h.sc.Close() // nothing of it is wanted any more
	}
}
