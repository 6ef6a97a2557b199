package krberr

import (
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// base computes a com_err table's base from its name: six bits for each of up
// to four characters, counted from 1, and eight bits for the code.
func base(name string) Code {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
	v := uint32(0)
	for _, c := range name {
		for i, d := range digits {
			if c == d {
				v = v<<6 + uint32(i) + 1
			}
		}
	}
	return Code(int32(v << 8))
}

func TestBases(t *testing.T) {
	require.Equal(t, base("krb5"), Krb5Base)
	require.Equal(t, base("k5g"), mechBase)
	require.Equal(t, base("ggss"), glueBase)
	require.Equal(t, base("asn1"), asn1Base)
}

func TestNumbers(t *testing.T) {
	for _, tt := range []struct {
		code  Code
		minor uint32
		name  string
	}{
		{KDCPreauthRequired, 0x96c73a19, "KDC_ERR_PREAUTH_REQUIRED"},
		{APBadIntegrity, 0x96c73a1f, "KRB_AP_ERR_BAD_INTEGRITY"},
		{APSkew, 0x96c73a25, "KRB_AP_ERR_SKEW"},
		{APBadVersion, 0x96c73a27, "KRB_AP_ERR_BADVERSION"},
		{APMsgType, 0x96c73a28, "KRB_AP_ERR_MSG_TYPE"},
		{KRBGeneric, 0x96c73a3c, "KRB_ERR_GENERIC"},
		{KDCMorePreauth, 0x96c73a5b, "KDC_ERR_MORE_PREAUTH_DATA_REQUIRED"},
		{APTktInvalid, 0x96c73a91, "KRB5KRB_AP_ERR_TKT_INVALID"},
		{KTNotFound, 0x96c73ab5, "KRB5_KT_NOTFOUND"},
		{FCCNoFile, 0x96c73ac3, "KRB5_FCC_NOFILE"},
		{NoPermEtype, 0x96c73aec, "KRB5_NOPERM_ETYPE"},
		{FASTRequired, 0x96c73afc, "KRB5_ERR_FAST_REQUIRED"},
		{GSSCCacheNomatch, 39756032, "KG_CCACHE_NOMATCH"},
		{GSSInputTooLong, 39756047, "KG_INPUT_TOO_LONG"},
		{GSSBadServiceName, 0x861b6d00, "G_BAD_SERVICE_NAME"},
		{GSSStoreNonDefault, 0x861b6d13, "G_STORE_NON_DEFAULT_CRED_NOSUPP"},
		{ASN1ParseError, 1859794441, "ASN1_PARSE_ERROR"},
	} {
		require.Equal(t, tt.minor, tt.code.Minor(), tt.name)
		require.Equal(t, tt.name, tt.code.Name())
	}
}

func TestTable(t *testing.T) {
	names := map[string]Code{}
	for c, e := range table {
		require.NotEmpty(t, e.name)
		require.NotEmpty(t, e.text, e.name)
		require.NotContains(t, e.text, "\n")
		require.NotRegexp(t, `\.$`, e.text)
		require.NotContains(t, names, e.name)
		names[e.name] = c
		require.Equal(t, e.name+": "+e.text, c.Error())
		require.Equal(t, e.text, c.Text())
	}
}

func TestRFC(t *testing.T) {
	for n := range int32(300) {
		c := FromRFC(n)
		got, ok := c.RFC()
		require.True(t, ok)
		if n > 0 && n < 128 {
			require.Equal(t, int(n), got)
		} else {
			require.Equal(t, KRBGeneric, c)
		}
		require.NotEmpty(t, c.Error())
	}
	for _, n := range []int32{0, -1, math.MinInt32, math.MaxInt32} {
		require.Equal(t, KRBGeneric, FromRFC(n))
	}
	for _, c := range []Code{0, Krb5Base, KTNotFound, GSSBadSeq, GSSReflect, math.MaxInt32, math.MinInt32} {
		_, ok := c.RFC()
		require.False(t, ok, int32(c))
	}
}

func TestUnknown(t *testing.T) {
	require.Equal(t, "", Code(0).Name())
	require.Equal(t, "krb5 error 120", FromRFC(120).Error())
	require.Equal(t, "krb5 error 120", FromRFC(120).Text())
	require.Equal(t, "error code 7", Code(7).Error())
}

func TestOf(t *testing.T) {
	require.Equal(t, APSkew, Of(fmt.Errorf("accept: %w", fmt.Errorf("%w: 400s", APSkew))))
	require.Equal(t, APRepeat, Of(errors.Join(io.EOF, APRepeat)))
	require.Zero(t, Of(io.EOF))
	require.Zero(t, Of(nil))
	require.ErrorIs(t, fmt.Errorf("x: %w", APRepeat), APRepeat)
	require.NotErrorIs(t, fmt.Errorf("x: %w", APRepeat), APSkew)
}
