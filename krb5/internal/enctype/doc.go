// Package enctype is the cryptography of Kerberos: encryption, checksums, key
// derivation, string-to-key and pseudo-random functions of the encryption types
// of RFC 3962 (aes128-cts-hmac-sha1-96, aes256-cts-hmac-sha1-96) and RFC 8009
// (aes128-cts-hmac-sha256-128, aes256-cts-hmac-sha384-192) in the framework of
// RFC 3961; of RFC 6803 (camellia128-cts-cmac, camellia256-cts-cmac); and, for
// peers that have nothing better, of RFC 3961 itself (des3-cbc-sha1) and of RFC
// 4757 (arcfour-hmac).
//
// A [Key] is a protocol key, safe for concurrent use. Its one-shot methods take
// the key usage with each call. For many messages under one usage, [Key.Cipher]
// and [Key.MAC] derive once and then work without allocating; they belong to
// one goroutine at a time.
//
// Each encryption type is one row of the table in profile.go. Where the
// process enforces FIPS 140-3, only the types of RFC 8009 are available.
package enctype
