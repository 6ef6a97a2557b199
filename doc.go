// Package gssapi is the GSS-API (RFC 2743) in Go: authenticate a peer, and
// protect messages to and from it, with Kerberos 5 and without any C library.
//
// An initiator names the service it wants to talk to, an acceptor says which
// keys it has, and the two exchange tokens until each knows the other:
//
//	c, err := gssapi.InitContext(gssapi.HostBased("imap", "mail.example.com"), nil)
//	if err != nil { … }
//	defer c.Close()
//	err = gssapi.Exchange(ctx, c, send, recv) // two functions that move tokens
//	token, err := c.Wrap(nil, []byte("hello"), nil)
//
// On the other side:
//
//	s, err := gssapi.AcceptContext(&gssapi.AcceptOptions{Cred: cred})
//	err = gssapi.Exchange(ctx, s, send, recv)
//	msg, _, err := s.Unwrap(nil, token)
//	fmt.Printf("%s says %s\n", s.Peer(), msg)
//
// Without options an initiator uses the tickets that kinit, SSSD or a client
// keytab provide, insists on mutual authentication, and encrypts.
//
// # Names
//
// [ImportName], [HostBased], [User], [Principal] and [ImportExportedName] make
// a [Name].
//
//   - [names.Name.String] is the text, [names.Name.Type] its type, [names.Name.DisplayAs] the text in another type.
//   - [names.Name.Equal] compares; [names.Name.IsZero] is no name; [names.Name.Key] is the name as a map key.
//   - [names.Name.Canonicalize] makes a name of one mechanism, [names.Name.Mech] says of which, [names.Name.ForMech] and [names.Name.Engine] give the mechanism's own value.
//   - [names.Name.Export] and [names.Name.ExportComposite] make bytes to store and compare.
//   - [names.Name.LocalName] and [names.Name.UserOK] map to users of this host.
//   - [names.Name.Attributes], [names.Name.Attribute], [names.Name.WithAttribute] and [names.Name.WithoutAttribute] are those of RFC 6680.
//
// # Credentials
//
// [AcquireCred], [NewCred] and [ImportCred] make a [Cred], which is immutable.
//
//   - [creds.Cred.Info] and [creds.Cred.InfoByMech] describe it, [creds.Cred.Mechs] lists its mechanisms, [creds.Cred.Inquire] asks a mechanism's own questions.
//   - [creds.Cred.Add], [creds.Cred.WithOption], [creds.Cred.WithNegMechs] and [creds.Cred.Map] return a changed copy; [creds.Cred.NegMechs] is what WithNegMechs set.
//   - [creds.Cred.StoreInto] and [creds.Cred.Export] keep it.
//   - [creds.Cred.Element], [creds.Cred.Elements] and [creds.Cred.Registry] are for mechanism packages.
//   - [creds.Cred.String], [creds.Cred.Format] and [creds.Cred.LogValue] print no secret.
//
// # Security contexts
//
// [InitContext], [AcceptContext] and [ImportContext] make a [SecContext], and
// [Exchange] establishes it.
//
//   - [secctx.SecContext.Step] is one token of the handshake.
//   - [secctx.SecContext.Info], [secctx.SecContext.Peer], [secctx.SecContext.Expires] and [secctx.SecContext.Delegated] tell the outcome.
//   - [secctx.SecContext.Wrap] and [secctx.SecContext.Unwrap] protect messages, [secctx.SecContext.GetMIC] and [secctx.SecContext.VerifyMIC] sign them, [secctx.SecContext.WrapSizeLimit] says how long they may be.
//   - [secctx.SecContext.WrapAEAD] and [secctx.SecContext.UnwrapAEAD] protect a message together with data that is not part of the token.
//   - [secctx.SecContext.WrapIOV], [secctx.SecContext.UnwrapIOV], [secctx.SecContext.WrapIOVLength], [secctx.SecContext.GetMICIOV], [secctx.SecContext.GetMICIOVLength] and [secctx.SecContext.VerifyMICIOV] do so in place.
//   - [secctx.SecContext.Inquire], [secctx.SecContext.SetOption], [secctx.SecContext.PRF], [secctx.SecContext.ProcessToken] and [secctx.SecContext.Export] reach what else a mechanism has, and are ErrUnavailable where it has not.
//   - [secctx.SecContext.Close] wipes the keys. [secctx.SecContext.Engine] is for mechanism packages.
//
// # Errors
//
// Every error is an [*Error]. errors.Is finds the major status ([ErrNoCred],
// [ErrBadMIC], …), and a mechanism's own codes such as krb5.ErrAPSkew. Where a
// token should still tell the peer what went wrong, Error.Token has it;
// Exchange sends it.
//
// # Security
//
// An initiator that is not told otherwise gets mutual authentication and
// integrity or an error, Wrap encrypts or fails, and an acceptor refuses
// replays. No error, log record or printed value holds a key, password, ticket
// or plaintext. Authorize on the whole name ([names.Name.Key]), realm
// included, and never on a part of its text.
//
// # Compatibility
//
// The module follows semantic versioning. Before v1.0.0 a minor version may
// change the interfaces of package mech.
package gssapi
