package pac

import (
	"encoding/binary"
	"encoding/hex"
	"testing"
	"time"
	"unicode/utf16"

	oracle "github.com/jcmturner/gokrb5/v8/pac"
	"github.com/jcmturner/gokrb5/v8/test/testdata"
	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

var (
	login  = time.Unix(1_700_000_000, 0)
	client = principal.New("EXAMPLE.TEST", "alice")
)

func le16(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func clientInfo(name string, at time.Time) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(at.Unix()+11644473600)*1e7)
	n := le16(name)
	return append(binary.LittleEndian.AppendUint16(b, uint16(len(n))), n...)
}

type part struct {
	typ  uint32
	data []byte
}

// build makes a container and signs it as a KDC does.
func build(t testing.TB, key *enctype.Key, parts ...part) []byte {
	t.Helper()
	typ, _ := enctype.ChecksumType(key.Enctype())
	empty := append(binary.LittleEndian.AppendUint32(nil, uint32(typ)), make([]byte, enctype.ChecksumSize(key.Enctype()))...)
	withRODC := append(append([]byte(nil), empty...), 0x12, 0x34)
	parts = append(parts, part{TypeServerChecksum, empty}, part{TypePrivSvrChecksum, withRODC})
	var body []byte
	b := binary.LittleEndian.AppendUint32(nil, uint32(len(parts)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	base := headerSize + entrySize*len(parts)
	server := 0
	for _, p := range parts {
		if p.typ == TypeServerChecksum {
			server = base + len(body)
		}
		b = binary.LittleEndian.AppendUint32(b, p.typ)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(p.data)))
		b = binary.LittleEndian.AppendUint64(b, uint64(base+len(body)))
		body = append(body, p.data...)
		for len(body)%8 != 0 {
			body = append(body, 0)
		}
	}
	b = append(b, body...)
	sum, err := key.Checksum(nil, usage, b)
	require.NoError(t, err)
	copy(b[server+4:], sum)
	return b
}

func newKey(t testing.TB, id etype.ID) *enctype.Key {
	t.Helper()
	k, err := enctype.GenerateKey(id)
	require.NoError(t, err)
	return k
}

func TestVerify(t *testing.T) {
	for _, id := range enctype.Default() {
		t.Run(id.String(), func(t *testing.T) {
			key := newKey(t, id)
			info := part{TypeClientInfo, clientInfo("alice", login)}
			for _, tc := range []struct {
				name   string
				pac    []byte
				key    *enctype.Key
				client principal.Name
				login  time.Time
				err    error
			}{
				{"good", build(t, key, info), key, client, login, nil},
				{"name with realm", build(t, key, part{TypeClientInfo, clientInfo("alice@EXAMPLE.TEST", login)}), key, client, login, nil},
				{"two components", build(t, key, part{TypeClientInfo, clientInfo("host/a b", login)}), key, principal.New("R", "host", "a b"), login, nil},
				{"another key", build(t, key, info), newKey(t, id), client, login, krberr.APModified},
				{"another client", build(t, key, info), key, principal.New("EXAMPLE.TEST", "bob"), login, krberr.APBadMatch},
				{"another realm", build(t, key, part{TypeClientInfo, clientInfo("alice@OTHER", login)}), key, client, login, krberr.APBadMatch},
				{"another login", build(t, key, info), key, client, login.Add(time.Second), krberr.APBadMatch},
				{"two client infos", build(t, key, info, info), key, client, login, errSyntax},
			} {
				p, err := Parse(tc.pac)
				require.NoError(t, err, tc.name)
				require.ErrorIs(t, p.Verify(tc.key, tc.client, tc.login), tc.err, tc.name)
			}
			p, err := Parse(build(t, key))
			require.NoError(t, err)
			require.Error(t, p.Verify(key, client, login), "no client info")
		})
	}
}

// Every byte is covered by the signature but those of the KDC's own.
func TestVerifyTamper(t *testing.T) {
	key := newKey(t, etype.AES256SHA1)
	good := build(t, key, part{TypeClientInfo, clientInfo("alice", login)}, part{99, []byte("other")})
	p, err := Parse(good)
	require.NoError(t, err)
	kdc, err := p.find(TypePrivSvrChecksum)
	require.NoError(t, err)
	for i := range good {
		if i >= kdc.start+4 && i < kdc.start+4+12 {
			continue
		}
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		if p, err := Parse(bad); err == nil {
			require.Error(t, p.Verify(key, client, login), "byte %d", i)
		}
	}
	for i := range good {
		if p, err := Parse(good[:i]); err == nil {
			require.Error(t, p.Verify(key, client, login), "%d bytes", i)
		}
	}
	p, err = Parse(append(append([]byte(nil), good...), 0))
	require.NoError(t, err)
	require.Error(t, p.Verify(key, client, login))
}

// A signature without a key, or of another type than the service's, is none.
func TestVerifyChecksumType(t *testing.T) {
	key := newKey(t, etype.AES256SHA1)
	for _, typ := range []int32{7, 14, 15, 20, -138, 0x8003} {
		b := build(t, key, part{TypeClientInfo, clientInfo("alice", login)})
		p, err := Parse(b)
		require.NoError(t, err)
		s, err := p.find(TypeServerChecksum)
		require.NoError(t, err)
		binary.LittleEndian.PutUint32(b[s.start:], uint32(typ))
		require.Error(t, p.Verify(key, client, login), typ)
	}
}

func TestParseRefuses(t *testing.T) {
	header := func(n, version uint32) []byte {
		return binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(nil, n), version)
	}
	entry := func(size uint32, offset uint64, tail int) []byte {
		b := binary.LittleEndian.AppendUint32(header(1, 0), 1)
		b = binary.LittleEndian.AppendUint32(b, size)
		b = binary.LittleEndian.AppendUint64(b, offset)
		return append(b, make([]byte, tail)...)
	}
	for name, b := range map[string][]byte{
		"empty":                  nil,
		"no buffers":             header(0, 0),
		"another version":        append(header(1, 1), make([]byte, 16)...),
		"more buffers than room": header(2, 0),
		"4 billion buffers":      header(1<<32-1, 0),
		"offset in the header":   entry(0, 8, 8),
		"offset not aligned":     entry(0, 28, 16),
		"offset beyond the end":  entry(0, 64, 8),
		"offset wraps":           entry(8, 1<<64-8, 8),
		"size beyond the end":    entry(9, 24, 8),
		"size wraps":             entry(1<<32-1, 24, 8),
	} {
		_, err := Parse(b)
		require.ErrorIs(t, err, errSyntax, name)
	}
}

// The structures that real domain controllers sent, against another decoder.
func TestLogonInfo(t *testing.T) {
	for name, text := range map[string]string{
		"specification": testdata.MarshaledPAC_Kerb_Validation_Info_MS,
		"domain":        testdata.MarshaledPAC_Kerb_Validation_Info,
		"trust":         testdata.MarshaledPAC_Kerb_Validation_Info_Trust,
	} {
		t.Run(name, func(t *testing.T) {
			b, err := hex.DecodeString(text)
			require.NoError(t, err)
			var want oracle.KerbValidationInfo
			require.NoError(t, want.Unmarshal(b))
			got, err := container(TypeLogonInfo, b).LogonInfo()
			require.NoError(t, err)
			require.Equal(t, want.EffectiveName.Value, got.EffectiveName)
			require.Equal(t, want.FullName.Value, got.FullName)
			require.Equal(t, want.LogonServer.Value, got.LogonServer)
			require.Equal(t, want.LogonDomainName.Value, got.LogonDomainName)
			require.Equal(t, want.UserAccountControl, got.UserAccountControl)
			require.Equal(t, SID(want.LogonDomainID.String()).child(want.UserID), got.UserSID)
			require.True(t, want.LogOnTime.Time().Equal(got.LogonTime))
			var groups []SID
			for _, g := range want.GetGroupMembershipSIDs() {
				groups = append(groups, SID(g))
			}
			require.ElementsMatch(t, groups, got.Groups)
			for i := range b {
				_, err := container(TypeLogonInfo, b[:i]).LogonInfo()
				if i < len(b)-8 {
					require.Error(t, err, i)
				}
			}
		})
	}
}

func container(typ uint32, b []byte) *PAC {
	return &PAC{raw: b, buffers: []buffer{{typ, 0, len(b)}}}
}

// The extended form of 2021 (MS-PAC §2.10), made by hand.
func TestUPNDNSInfoExtended(t *testing.T) {
	b := []byte{
		2, 0, 20, 0, 2, 0, 22, 0, 2, 0, 0, 0, 4, 0, 24, 0, 0, 0, 0, 0, // lengths and offsets, and the flag between
		'u', 0, 'd', 0, 's', 0, 'm', 0,
	}
	u, err := container(TypeUPNDNSInfo, b).UPNDNSInfo()
	require.NoError(t, err)
	require.Equal(t, &UPNDNSInfo{UPN: "u", DNSDomain: "d", SAMName: "sm"}, u)
}

func TestUPNDNSInfo(t *testing.T) {
	b, err := hex.DecodeString(testdata.MarshaledPAC_UPN_DNS_Info)
	require.NoError(t, err)
	u, err := container(TypeUPNDNSInfo, b).UPNDNSInfo()
	require.NoError(t, err)
	require.Equal(t, "testuser1@test.gokrb5", u.UPN)
	require.Equal(t, "TEST.GOKRB5", u.DNSDomain)
	for i := range b {
		_, _ = container(TypeUPNDNSInfo, b[:i]).UPNDNSInfo()
	}
}

// A whole PAC of Active Directory, with the key that signed it.
func TestRealPAC(t *testing.T) {
	b, err := hex.DecodeString(testdata.MarshaledPAC_AD_WIN2K_PAC)
	require.NoError(t, err)
	p, err := Parse(b)
	require.NoError(t, err)
	require.Contains(t, p.Types(), TypeLogonInfo)
	info, err := p.Buffer(TypeClientInfo)
	require.NoError(t, err)
	require.NoError(t, p.verifyClient(principal.New("TEST.GOKRB5", "testuser1"), fileTime(info)))
	require.Error(t, p.Verify(newKey(t, etype.AES256SHA1), principal.New("TEST.GOKRB5", "testuser1"), fileTime(info)))
}

func FuzzParse(f *testing.F) {
	b, _ := hex.DecodeString(testdata.MarshaledPAC_AD_WIN2K_PAC)
	f.Add(b)
	key, err := enctype.NewKey(etype.AES128SHA2, make([]byte, 16))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(build(f, key, part{TypeClientInfo, clientInfo("alice", login)}))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := Parse(b)
		if err != nil {
			return
		}
		_ = p.Verify(key, client, login)
		_, _ = p.LogonInfo()
		_, _ = p.UPNDNSInfo()
	})
}

func FuzzLogonInfo(f *testing.F) {
	for _, text := range []string{testdata.MarshaledPAC_Kerb_Validation_Info_MS, testdata.MarshaledPAC_Kerb_Validation_Info_Trust} {
		b, _ := hex.DecodeString(text)
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { _, _ = container(TypeLogonInfo, b).LogonInfo() })
}
