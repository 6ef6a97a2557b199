package mech

// AddrType is an address family of channel bindings (RFC 2744 §3.11), numbered
// as in the C bindings.
type AddrType uint32

const (
	AddrUnspec    AddrType = 0
	AddrLocal     AddrType = 1
	AddrInet      AddrType = 2
	AddrImplink   AddrType = 3
	AddrPUP       AddrType = 4
	AddrCHAOS     AddrType = 5
	AddrNS        AddrType = 6
	AddrNBS       AddrType = 7
	AddrECMA      AddrType = 8
	AddrDatakit   AddrType = 9
	AddrCCITT     AddrType = 10
	AddrSNA       AddrType = 11
	AddrDECnet    AddrType = 12
	AddrDLI       AddrType = 13
	AddrLAT       AddrType = 14
	AddrHylink    AddrType = 15
	AddrAppleTalk AddrType = 16
	AddrBSC       AddrType = 17
	AddrDSS       AddrType = 18
	AddrOSI       AddrType = 19
	AddrNetBIOS   AddrType = 20
	AddrX25       AddrType = 21
	AddrInet6     AddrType = 24 // Java's; the C bindings have none
	AddrNull      AddrType = 255
)

// ChannelBindings tie a context to the channel it runs over (RFC 2743 §1.1.6).
// The zero value is valid bindings without content, which is not the same as
// none: a nil pointer. TLS needs only Application.
type ChannelBindings struct {
	InitiatorType AddrType
	Initiator     []byte
	AcceptorType  AddrType
	Acceptor      []byte
	// Application is the data of the channel, such as "tls-server-end-point:"
	// and a hash of the certificate (RFC 5929 §4).
	Application []byte
}
