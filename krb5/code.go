package krb5

import (
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Code is a Kerberos error, numbered as MIT numbers it: the minor status of the
// mechanism. It is an error, and what functions of this package return wraps
// it:
//
//	if errors.Is(err, krb5.ErrPreauthFailed) { … } // wrong password
//
// Code.RFC gives the error-code of RFC 4120 §7.5.9.
type Code = krberr.Code

// The codes that programs most often ask for. Others compare as numbers.
const (
	ErrClientUnknown  = krberr.KDCClientUnknown // the KDC does not know the client
	ErrServerUnknown  = krberr.KDCServerUnknown // the KDC does not know the service
	ErrBadOption      = krberr.KDCBadOption     // the KDC does not do that: delegate, renew, forward
	ErrClientRevoked  = krberr.KDCClientRevoked // the account is locked or disabled
	ErrKeyExpired     = krberr.KDCKeyExpired    // the password has expired
	ErrPreauthFailed  = krberr.KDCPreauthFailed // the password is wrong
	ErrFASTRequired   = krberr.FASTRequired     // the KDC does not answer under armor
	ErrEtypeNosupp    = krberr.KDCEtypeNosupp   // no encryption type in common
	ErrAPBadIntegrity = krberr.APBadIntegrity   // decryption failed
	ErrAPTktExpired   = krberr.APTktExpired     // the ticket has expired
	ErrAPTktNYV       = krberr.APTktNYV         // the ticket is not yet valid
	ErrAPRepeat       = krberr.APRepeat         // the request is a replay
	ErrAPNotUs        = krberr.APNotUs          // the ticket is for another service
	ErrAPBadMatch     = krberr.APBadMatch       // ticket and authenticator differ
	ErrAPSkew         = krberr.APSkew           // the clocks differ too much
	ErrAPBadKeyVer    = krberr.APBadKeyVer      // the keytab has another version of the key
	ErrAPNoKey        = krberr.APNoKey          // the keytab has no key for the ticket
	ErrMutualFailed   = krberr.MutualFailed     // the acceptor is not who it should be
	ErrKDCUnreach     = krberr.KDCUnreach       // no KDC answers
	ErrRealmUnknown   = krberr.RealmUnknown     // no KDC is known for the realm
	ErrNoDefaultRealm = krberr.ConfigNoDefRealm // the configuration has no default realm
	ErrCCNotFound     = krberr.FCCNoFile        // there is no credential cache
	ErrKeytabNotFound = krberr.KTNotFound       // the keytab is missing, or the key in it
	ErrCCUnknownType  = krberr.CCUnknownType    // the type of credential cache is not supported
	ErrBadEnctype     = krberr.BadEnctype       // the encryption type is not supported
)

// Enctype is an encryption type, numbered as in the IANA registry.
type Enctype = etype.ID

// Encryption types.
const (
	AES128SHA1 = etype.AES128SHA1 // aes128-cts-hmac-sha1-96, RFC 3962
	AES256SHA1 = etype.AES256SHA1 // aes256-cts-hmac-sha1-96, RFC 3962
	AES128SHA2 = etype.AES128SHA2 // aes128-cts-hmac-sha256-128, RFC 8009
	AES256SHA2 = etype.AES256SHA2 // aes256-cts-hmac-sha384-192, RFC 8009

	Camellia128 = etype.Camellia128 // camellia128-cts-cmac, RFC 6803
	Camellia256 = etype.Camellia256 // camellia256-cts-cmac, RFC 6803

	DES3SHA1 = etype.DES3SHA1 // des3-cbc-sha1, RFC 3961; needs allow_des3
	RC4      = etype.RC4      // arcfour-hmac, RFC 4757; needs allow_rc4
)
