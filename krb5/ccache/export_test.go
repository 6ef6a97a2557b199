package ccache

// What the fuzz targets feed.
var (
	ParseKCMReply       = readKCMReply
	ParseKCMName        = parseKCMName
	ParseKCMUUIDs       = parseKCMUUIDs
	ParseKCMCredList    = parseKCMCredList
	ParsePrimary        = parsePrimary
	ParseKeyPrimary     = parseKeyPrimary
	AppendKeyPrimary    = appendKeyPrimary
	ParseKeyDescription = parseKeyDescription
	ParseSerials        = parseSerials
	ParseIdentity       = parseIdentity
	Glob                = glob
	AppendCredList      = appendCredList
)

// ParseTorn is ParseFile for a file with half an entry at its end, and where
// that begins.
func ParseTorn(b []byte) (*Contents, int, error) {
	l, err := parseFile(b, true)
	if err != nil {
		return nil, 0, err
	}
	return l.contents, l.end, nil
}

// AddKey adds a key of a keyring to the contents.
func (c *Contents) AddKey(name string, payload []byte) error { return c.addKey(name, payload) }
