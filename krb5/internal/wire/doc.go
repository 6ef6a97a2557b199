// Package wire has the messages of Kerberos 5 (RFC 4120) in DER.
//
// Every type T has Append, which appends its encoding to a buffer, and a
// function ParseT. The rules that hold for all of them:
//
// Parsing is strict: one encoding per value, minimal lengths, fields in order,
// none twice, none unknown (the sequences of RFC 4120 carry no extension
// marker), nothing after the end. The few deviations that RFC 4120 allows or
// that peers send are listed in testdata/lenient. Parsed []byte fields, Raw
// among them, are parts of the input and share its lifetime; strings are
// copies. The input is never modified.
//
// An optional field that is absent is a zero [time.Time], a zero name, a nil
// pointer or a nil slice; a slice that is empty and not nil is there and empty,
// which is read but, as RFC 4120 asks, should not be written for addresses,
// authorization data, preauthentication data and tickets.
// A zero time in a field that is not optional is written as 19700101000000Z,
// which KDCs read as "no limit". Times are in UTC, with microseconds where the
// message has a field for them.
//
// Append needs no valid value and does not fail; dst must not overlap fields of
// the value. Values are not safe for concurrent modification; concurrent
// reading, Append included, is safe.
package wire
