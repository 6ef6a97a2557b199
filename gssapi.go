package gssapi

import (
	"context"
	"crypto/tls"
	"crypto/x509"

	secctx "github.com/gss-go/gssapi/context"
	"github.com/gss-go/gssapi/creds"
	"github.com/gss-go/gssapi/mech"
	"github.com/gss-go/gssapi/names"
	"github.com/gss-go/gssapi/oid"
)

type (
	// OID is an object identifier; the zero OID is GSS_C_NO_OID.
	OID = oid.OID
	// Registry is an ordered set of mechanisms. Nil is [DefaultRegistry].
	Registry = mech.Registry

	// Name is the name of a user or a service.
	Name = names.Name
	// Attribute is an attribute of a Name (RFC 6680).
	Attribute = mech.Attribute

	// Cred is a credential; nil is the default one.
	Cred = creds.Cred
	// CredOptions are the optional arguments of [AcquireCred] and Cred.Add.
	CredOptions = creds.Options
	// CredInfo describes a credential.
	CredInfo = creds.Info
	// Store says where credentials are, by MIT's keys.
	Store = creds.Store
	// StoreOptions are the optional arguments of Cred.StoreInto.
	StoreOptions = creds.StoreOptions
	// StoreResult is the result of Cred.StoreInto.
	StoreResult = creds.StoreResult
	// Secret is a password that is not printed; see [Password].
	Secret = creds.Secret

	// SecContext is one side of a security context.
	SecContext = secctx.SecContext
	// InitOptions are the optional arguments of [InitContext].
	InitOptions = secctx.InitOptions
	// AcceptOptions are the optional arguments of [AcceptContext].
	AcceptOptions = secctx.AcceptOptions
	// ContextInfo describes a context.
	ContextInfo = secctx.ContextInfo
	// MessageInfo describes a message that Unwrap took apart.
	MessageInfo = mech.MessageInfo
	// WrapOptions say how to protect a message; nil encrypts.
	WrapOptions = mech.WrapOptions
	// QOP is a quality of protection. Kerberos has only 0.
	QOP = mech.QOP
	// ChannelBindings tie a context to the channel it runs over.
	ChannelBindings = mech.ChannelBindings
)

// ImportName returns a name with the given text and type (RFC 2743 §2.4.5). A
// zero type is the default of whichever mechanism will use the name.
func ImportName(text string, typ OID) (Name, error) { return names.Import(text, typ) }

// HostBased returns the name of a service on a host, such as
// HostBased("imap", "mail.example.com"). To accept, the host may be "": any.
func HostBased(service, host string) Name { return names.HostBased(service, host) }

// User returns the name of a user.
func User(name string) Name { return names.User(name) }

// Principal returns the name of a Kerberos principal, such as
// "alice@EXAMPLE.COM".
func Principal(name string) Name { return names.Principal(name) }

// ImportExportedName returns the name that Name.Export or Name.ExportComposite
// wrote. A nil registry is the default one.
func ImportExportedName(b []byte, r *Registry) (Name, error) {
	return names.ImportExported(b, orDefault(r))
}

// AcquireCred returns a credential for a name, or the default one for the zero
// Name (RFC 2743 §2.1.1). With the options it is gss_acquire_cred_from,
// _with_password and _impersonate_name too. It may read files and ask a KDC.
func AcquireCred(ctx context.Context, n Name, u Usage, o *CredOptions) (*Cred, error) {
	var opts CredOptions
	if o != nil {
		opts = *o
	}
	if opts.Registry == nil && opts.Impersonator == nil {
		opts.Registry = DefaultRegistry()
	}
	return creds.Acquire(ctx, n, u, &opts)
}

// Password returns a password for CredOptions. The bytes are copied.
func Password(p []byte) Secret { return creds.Password(p) }

// NewCred returns a credential of elements that mechanisms of r made, for
// example krb5's Login. A nil registry is the default one.
func NewCred(r *Registry, elems ...mech.Cred) (*Cred, error) {
	return creds.New(orDefault(r), elems...)
}

// ImportCred returns the credential that Cred.Export wrote. A nil registry is
// the default one.
func ImportCred(token []byte, r *Registry) (*Cred, error) { return creds.Import(token, orDefault(r)) }

// InitContext makes the initiator's side of a context with target (RFC 2743
// §2.2.1). It does no I/O; the first Step does. Nil options mean the default
// credential, mutual authentication and encrypted messages.
func InitContext(target Name, o *InitOptions) (*SecContext, error) {
	var opts InitOptions
	if o != nil {
		opts = *o
	}
	if opts.Registry == nil && opts.Cred == nil {
		opts.Registry = DefaultRegistry()
	}
	return secctx.Init(target, &opts)
}

// AcceptContext makes the acceptor's side of a context (RFC 2743 §2.2.2). It
// does no I/O; Step does. Nil options mean every key of the default keytab.
func AcceptContext(o *AcceptOptions) (*SecContext, error) {
	var opts AcceptOptions
	if o != nil {
		opts = *o
	}
	if opts.Registry == nil && opts.Cred == nil {
		opts.Registry = DefaultRegistry()
	}
	return secctx.Accept(&opts)
}

// ImportContext returns the context that SecContext.Export wrote. A nil
// registry is the default one.
func ImportContext(token []byte, r *Registry) (*SecContext, error) {
	return secctx.Import(token, orDefault(r))
}

// Exchange establishes a context over any transport: the loop of RFC 7546 §3
// for either side. send gets each token for the peer, recv returns the peer's.
// If it fails, the token that tells the peer why is sent too.
func Exchange(ctx context.Context, c *SecContext, send func([]byte) error, recv func() ([]byte, error)) error {
	return secctx.Exchange(ctx, c, send, recv)
}

// TLSServerEndPoint returns bindings to a TLS server's certificate (RFC 5929
// §4), which HTTP and LDAP use.
func TLSServerEndPoint(cert *x509.Certificate) (*ChannelBindings, error) {
	return secctx.TLSServerEndPoint(cert)
}

// TLSExporter returns bindings to one TLS connection (RFC 9266).
func TLSExporter(cs *tls.ConnectionState) (*ChannelBindings, error) { return secctx.TLSExporter(cs) }
