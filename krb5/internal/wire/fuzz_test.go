package wire

import "testing"

// fuzz runs one parser on anything: it must not panic, and what it accepts must
// encode to itself or be listed in testdata/lenient.
func fuzz(f *testing.F, name string) {
	c := codecOf(name)
	for _, b := range c.samples {
		f.Add(b)
	}
	for _, l := range lenientFiles(f) {
		if l.typ == name {
			f.Add(l.in)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) { checkMalleability(t, c, b) })
}

func FuzzParseEncryptedData(f *testing.F)  { fuzz(f, "EncryptedData") }
func FuzzParseChecksum(f *testing.F)       { fuzz(f, "Checksum") }
func FuzzParseTicket(f *testing.F)         { fuzz(f, "Ticket") }
func FuzzParseEncTicketPart(f *testing.F)  { fuzz(f, "EncTicketPart") }
func FuzzParseAPReq(f *testing.F)          { fuzz(f, "APReq") }
func FuzzParseAuthenticator(f *testing.F)  { fuzz(f, "Authenticator") }
func FuzzParseAPRep(f *testing.F)          { fuzz(f, "APRep") }
func FuzzParseEncAPRepPart(f *testing.F)   { fuzz(f, "EncAPRepPart") }
func FuzzParseKRBError(f *testing.F)       { fuzz(f, "KRBError") }
func FuzzParseKDCReq(f *testing.F)         { fuzz(f, "KDCReq") }
func FuzzParseKDCRep(f *testing.F)         { fuzz(f, "KDCRep") }
func FuzzParseEncKDCRepPart(f *testing.F)  { fuzz(f, "EncKDCRepPart") }
func FuzzParseKRBCred(f *testing.F)        { fuzz(f, "KRBCred") }
func FuzzParseEncKrbCredPart(f *testing.F) { fuzz(f, "EncKrbCredPart") }
func FuzzParseKRBPriv(f *testing.F)        { fuzz(f, "KRBPriv") }
func FuzzParseEncKrbPrivPart(f *testing.F) { fuzz(f, "EncKrbPrivPart") }
func FuzzParsePAEncTS(f *testing.F)        { fuzz(f, "PAEncTS") }
func FuzzParseAuthzData(f *testing.F)      { fuzz(f, "AuthzData") }
func FuzzParseMethodData(f *testing.F)     { fuzz(f, "MethodData") }
func FuzzParseETypeInfo(f *testing.F)      { fuzz(f, "ETypeInfo") }
func FuzzParseETypeInfo2(f *testing.F)     { fuzz(f, "ETypeInfo2") }
func FuzzParseETypeList(f *testing.F)      { fuzz(f, "ETypeList") }
func FuzzParseS4UForUser(f *testing.F)     { fuzz(f, "S4UForUser") }
func FuzzParseS4UX509User(f *testing.F)    { fuzz(f, "S4UX509User") }
func FuzzParsePACOptions(f *testing.F)     { fuzz(f, "PACOptions") }
