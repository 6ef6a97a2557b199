// Package etype has the numbers and names of Kerberos encryption types.
package etype

import (
	"fmt"
	"slices"
	"strings"
)

// ID is an encryption type number of the IANA registry (RFC 3961 §8).
type ID int32

const (
	DES3SHA1    ID = 16 // des3-cbc-sha1
	AES128SHA1  ID = 17 // aes128-cts-hmac-sha1-96, RFC 3962
	AES256SHA1  ID = 18 // aes256-cts-hmac-sha1-96, RFC 3962
	AES128SHA2  ID = 19 // aes128-cts-hmac-sha256-128, RFC 8009
	AES256SHA2  ID = 20 // aes256-cts-hmac-sha384-192, RFC 8009
	RC4         ID = 23 // arcfour-hmac, RFC 4757
	RC4Exp      ID = 24 // arcfour-hmac-exp, RFC 4757
	Camellia128 ID = 25 // camellia128-cts-cmac, RFC 6803
	Camellia256 ID = 26 // camellia256-cts-cmac, RFC 6803
)

// names lists each type with its registry name first and then the names that
// configuration files use for it.
var names = []struct {
	id    ID
	words []string
}{
	{1, []string{"des-cbc-crc"}},
	{2, []string{"des-cbc-md4"}},
	{3, []string{"des-cbc-md5", "des"}},
	{DES3SHA1, []string{"des3-cbc-sha1", "des3-hmac-sha1", "des3-cbc-sha1-kd"}},
	{AES128SHA1, []string{"aes128-cts-hmac-sha1-96", "aes128-cts", "aes128-sha1"}},
	{AES256SHA1, []string{"aes256-cts-hmac-sha1-96", "aes256-cts", "aes256-sha1"}},
	{AES128SHA2, []string{"aes128-cts-hmac-sha256-128", "aes128-sha2"}},
	{AES256SHA2, []string{"aes256-cts-hmac-sha384-192", "aes256-sha2"}},
	{RC4, []string{"arcfour-hmac", "rc4-hmac", "arcfour-hmac-md5"}},
	{RC4Exp, []string{"arcfour-hmac-exp", "rc4-hmac-exp", "arcfour-hmac-md5-exp"}},
	{Camellia128, []string{"camellia128-cts-cmac", "camellia128-cts"}},
	{Camellia256, []string{"camellia256-cts-cmac", "camellia256-cts"}},
}

// families are the words for several types at once, in MIT's order.
var families = map[string][]ID{
	"aes":      {AES256SHA1, AES128SHA1, AES256SHA2, AES128SHA2},
	"des3":     {DES3SHA1},
	"rc4":      {RC4},
	"camellia": {Camellia256, Camellia128},
}

// String returns the registry name, or "enctype N".
func (id ID) String() string {
	for _, n := range names {
		if n.id == id {
			return n.words[0]
		}
	}
	return fmt.Sprintf("enctype %d", int32(id))
}

// Parse returns the type with the name, in any case.
func Parse(word string) (ID, bool) {
	for _, n := range names {
		for _, w := range n.words {
			if strings.EqualFold(w, word) {
				return n.id, true
			}
		}
	}
	return 0, false
}

// ParseList reads a list as krb5.conf writes it: names, families (aes, des3,
// rc4, camellia) and DEFAULT, separated by spaces, tabs or commas; a leading
// "-" takes types out again. Unknown words are ignored and doubles dropped, as
// MIT does.
func ParseList(text string, def []ID) []ID {
	var list []ID
	for _, word := range strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '\t' || r == ',' }) {
		name, minus := strings.CutPrefix(word, "-")
		if !minus {
			name = strings.TrimPrefix(name, "+")
		}
		var ids []ID
		if strings.EqualFold(name, "DEFAULT") {
			ids = def
		} else if f, ok := families[strings.ToLower(name)]; ok {
			ids = f
		} else if id, ok := Parse(name); ok {
			ids = []ID{id}
		}
		for _, id := range ids {
			if i := slices.Index(list, id); i >= 0 && minus {
				list = slices.Delete(list, i, i+1)
			} else if i < 0 && !minus {
				list = append(list, id)
			}
		}
	}
	return list
}
