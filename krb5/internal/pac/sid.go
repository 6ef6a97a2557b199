package pac

import (
	"encoding/binary"
	"strconv"
	"strings"
)

// SID is a security identifier (MS-DTYP §2.4.2) in text form, such as
// "S-1-5-21-1-2-3-500".
type SID string

const maxSubAuthorities = 15

// parseSID reads a SID and returns its length, 0 if it is malformed.
func parseSID(b []byte) (SID, int) {
	if len(b) < 8 || b[0] != 1 || b[1] > maxSubAuthorities || len(b) < 8+4*int(b[1]) {
		return "", 0
	}
	var authority uint64
	for _, c := range b[2:8] {
		authority = authority<<8 | uint64(c)
	}
	var s strings.Builder
	s.WriteString("S-1-")
	s.WriteString(strconv.FormatUint(authority, 10))
	for i := range int(b[1]) {
		s.WriteByte('-')
		s.WriteString(strconv.FormatUint(uint64(binary.LittleEndian.Uint32(b[8+4*i:])), 10))
	}
	return SID(s.String()), 8 + 4*int(b[1])
}

// child returns the SID of a member of a domain.
func (s SID) child(rid uint32) SID {
	return s + "-" + SID(strconv.FormatUint(uint64(rid), 10))
}
