package oid

// Mechanisms.
var (
	Krb5    = must(1, 2, 840, 113554, 1, 2, 2)         // Kerberos 5, RFC 1964 §1
	Krb5MS  = must(1, 2, 840, 48018, 1, 2, 2)          // Kerberos 5 as Windows 2000 wrote it, MS-SPNG §2.2
	Krb5Old = must(1, 3, 5, 1, 5, 2)                   // Kerberos 5 in the drafts of RFC 1964
	Krb5v2  = must(1, 2, 840, 113554, 1, 2, 3)         // reserved for a version 2 that was not published
	IAKERB  = must(1, 3, 6, 1, 5, 2, 5)                // Kerberos through the acceptor, draft-ietf-kitten-iakerb
	SPNEGO  = must(1, 3, 6, 1, 5, 5, 2)                // negotiation, RFC 4178
	NTLM    = must(1, 3, 6, 1, 4, 1, 311, 2, 2, 10)    // MS-NLMP
	NegoEx  = must(1, 3, 6, 1, 4, 1, 311, 2, 2, 30)    // MS-NEGOEX
	SAnon   = must(1, 3, 6, 1, 4, 1, 5322, 26, 1, 110) // simple anonymous, draft-howard-gss-sanon
)

// Name types (RFC 2743 §4, RFC 2744 §4, RFC 1964 §2.1, RFC 6680 §8).
var (
	NTUserName        = must(1, 2, 840, 113554, 1, 2, 1, 1) // a local user name
	NTMachineUID      = must(1, 2, 840, 113554, 1, 2, 1, 2) // a numeric user ID, as the host's uid_t in memory
	NTStringUID       = must(1, 2, 840, 113554, 1, 2, 1, 3) // a numeric user ID in decimal digits
	NTHostBased       = must(1, 2, 840, 113554, 1, 2, 1, 4) // service@host
	NTHostBasedX      = must(1, 3, 6, 1, 5, 6, 2)           // service@host, the deprecated OID of RFC 1508
	NTAnonymous       = must(1, 3, 6, 1, 5, 6, 3)           // nobody in particular
	NTExportName      = must(1, 3, 6, 1, 5, 6, 4)           // an exported name, RFC 2743 §3.2
	NTCompositeExport = must(1, 3, 6, 1, 5, 6, 6)           // an exported name with attributes, RFC 6680 §7.3
	NTKrb5Principal   = must(1, 2, 840, 113554, 1, 2, 2, 1) // a Kerberos principal in text form
	NTKrb5Enterprise  = must(1, 2, 840, 113554, 1, 2, 2, 6) // an enterprise name, RFC 6806 §5
	NTKrb5X509Cert    = must(1, 2, 840, 113554, 1, 2, 2, 7) // a certificate in DER, for S4U2Self
)

// Kerberos extensions, the arc of MIT's gssapi_krb5.h.
var (
	krb5Ext = Krb5.Append(5)

	Krb5TicketFlags       = krb5Ext.Append(1)  // context: flags of the ticket
	Krb5CopyCCache        = krb5Ext.Append(2)  // credential: copy its tickets to a cache
	Krb5CCacheName        = krb5Ext.Append(3)  // default cache of a thread
	Krb5AllowableEnctypes = krb5Ext.Append(4)  // credential: limit the encryption types
	Krb5SSPISessionKey    = krb5Ext.Append(5)  // context: the key Windows calls the session key
	Krb5ExportLucid       = krb5Ext.Append(6)  // context: the keys in the open; the last arc is the version
	Krb5FreeLucid         = krb5Ext.Append(7)  // of the C bindings
	Krb5UseKDCContext     = krb5Ext.Append(8)  // of the C bindings
	Krb5RegisterAcceptor  = krb5Ext.Append(9)  // default keytab of a process
	Krb5AuthzData         = krb5Ext.Append(10) // context: authorization data; the last arc is the type
	Krb5CredRCache        = krb5Ext.Append(11) // credential: its replay cache
	Krb5AuthTime          = krb5Ext.Append(12) // context: when the client logged in
	Krb5ImportCred        = krb5Ext.Append(13) // credential from a cache and a keytab
	Krb5CredImpersonator  = krb5Ext.Append(14) // credential: who impersonates
	Krb5SASLSSF           = krb5Ext.Append(15) // context: strength in bits, as SASL counts it
	Krb5NegoExKey         = krb5Ext.Append(16) // context: NegoEx key
	Krb5NegoExVerifyKey   = krb5Ext.Append(17) // context: NegoEx key of the peer
	AttrNegoExAndSPNEGO   = krb5Ext.Append(18) // mechanism attribute: a NegoEx mechanism that SPNEGO may offer too
	Krb5ODBCSessionKey    = krb5Ext.Append(19) // context: the session key of the ticket
	Krb5SessionKeyEnctype = Krb5.Append(4)     // of an answer to Krb5SSPISessionKey; the last arc is the enctype
)

// Extensions of other origin.
var (
	Krb5NoCIFlags      = must(1, 2, 752, 43, 13, 29)             // credential: ask for no integrity or confidentiality by itself (Heimdal, MIT)
	SPNEGORequireMIC   = must(1, 3, 6, 1, 4, 1, 7165, 655, 1, 2) // the mechanism wants a mechListMIC (Samba)
	NTLMResetCrypto    = must(1, 3, 6, 1, 4, 1, 7165, 655, 1, 3) // reset the RC4 state after a mechListMIC (Samba)
	PeerHasBuggySPNEGO = must(1, 3, 6, 1, 4, 1, 5322, 19, 6)     // Heimdal
)

// MechAttr returns the mechanism attribute number n of RFC 5587 §3.
func MechAttr(n uint8) OID { return mechAttr.Append(uint64(n)) }

var mechAttr = must(1, 3, 6, 1, 5, 5, 13)

func must(arcs ...uint64) OID {
	o, err := FromInts(arcs...)
	if err != nil {
		panic(err) // a typing error in the tables above
	}
	return o
}
