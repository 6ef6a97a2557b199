package kdcclient

import (
	"context"
	"fmt"
	"log/slog"
	"slices"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// usageOTP is the key usage of PA-OTP-ENC-REQUEST (RFC 6560 §6.1).
const usageOTP = 45

// OTPFormat is how the value of a token is written (RFC 6560 §4.1).
type OTPFormat int32

// The formats. OTPFormatUnknown is one that the KDC did not tell.
const (
	OTPFormatUnknown      OTPFormat = -1
	OTPFormatDecimal      OTPFormat = 0
	OTPFormatHexadecimal  OTPFormat = 1
	OTPFormatAlphanumeric OTPFormat = 2
	OTPFormatBinary       OTPFormat = 3
	OTPFormatBase64       OTPFormat = 4
)

// OTPToken is a kind of token that the KDC accepts (RFC 6560 §4.1). Nothing in
// it is more than a hint for the user.
type OTPToken struct {
	// Vendor, ID and Algorithm name it; "" and nil if unknown.
	Vendor    string
	ID        []byte
	Algorithm string
	// Challenge is what to type into the token, nil for none.
	Challenge []byte
	// Length is how many characters the value has, -1 if unknown.
	Length int
	Format OTPFormat
	// PIN asks for the token's PIN besides the value, Next for the value after
	// the current one.
	PIN, Next bool
}

// OTPChallenge is what a KDC asks for. Nothing of it can have been made up on the
// way.
type OTPChallenge struct {
	// Service is what the KDC calls itself, "" if it does not.
	Service string
	// Tokens are those of which one is to be used, at least one.
	Tokens []OTPToken
}

// OTPAnswer is what the user has typed in. It prints as "[redacted]".
type OTPAnswer struct {
	// Token is the index of the token in the challenge.
	Token int
	// Value is the one-time password, PIN the token's PIN, nil for none.
	Value, PIN []byte
}

const redacted = "[redacted]"

// Format implements [fmt.Formatter] for every verb.
func (OTPAnswer) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText implements [encoding.TextMarshaler].
func (OTPAnswer) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue implements [slog.LogValuer].
func (OTPAnswer) LogValue() slog.Value { return slog.StringValue(redacted) }

// Prompt asks the user. Its error ends the login.
type Prompt func(ctx context.Context, challenge *OTPChallenge) (*OTPAnswer, error)

// otpMech is the one-time password (RFC 6560), which is sent as it is and so
// goes under armor only. The armor key is the reply key: the KDC proves that it
// can open the armor.
type otpMech struct{ sent bool }

func (*otpMech) padata() int32  { return wire.PAOTPChallenge }
func (*otpMech) name() string   { return "one-time password" }
func (*otpMech) needsKey() bool { return false }

func (m *otpMech) respond(ctx context.Context, l *login) ([]wire.PAData, error) {
	if m.sent { // a value is good for one request
		return nil, fmt.Errorf("%w: the KDC wants the one-time password again", krberr.PreauthFailed)
	}
	pa, ok := find(l.offered, wire.PAOTPChallenge)
	if !ok {
		return nil, modified("no PA-OTP-CHALLENGE")
	}
	challenge, err := wire.ParseOTPChallenge(pa.Value)
	if err != nil {
		return nil, modified("PA-OTP-CHALLENGE: %w", err)
	}
	q := &OTPChallenge{Service: challenge.Service}
	for _, t := range challenge.Tokens {
		q.Tokens = append(q.Tokens, OTPToken{
			Vendor: t.Vendor, ID: slices.Clone(t.TokenID), Algorithm: t.AlgID,
			Challenge: slices.Clone(t.Challenge), Length: int(t.Length), Format: OTPFormat(t.Format),
			PIN: t.Flags&wire.OTPCollectPIN != 0, Next: t.Flags&wire.OTPNext != 0,
		})
	}
	a, err := l.r.Prompt(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", krberr.PreauthFailed, err)
	}
	if a == nil || a.Token < 0 || a.Token >= len(challenge.Tokens) || len(a.Value) == 0 {
		return nil, fmt.Errorf("%w: no one-time password was given", krberr.PreauthFailed)
	}
	m.sent = true
	cipher, err := l.fast.key.Encrypt(nil, wire.AppendOTPEncRequest(nil, challenge.Nonce), usageOTP)
	if err != nil {
		return nil, err
	}
	t := &challenge.Tokens[a.Token]
	req := wire.OTPRequest{
		Flags: t.Flags & wire.OTPNext,
		Enc:   wire.EncryptedData{Etype: l.fast.key.Enctype(), Cipher: cipher},
		Value: a.Value, Challenge: t.Challenge, Format: t.Format, TokenID: t.TokenID, AlgID: t.AlgID, Vendor: t.Vendor,
	}
	switch {
	case a.PIN == nil:
	case t.Flags&wire.OTPSeparatePIN != 0:
		req.PIN = a.PIN
	default: // in front of the value, as the servers behind KDCs have it
		req.Value = slices.Concat(a.PIN, a.Value)
	}
	return []wire.PAData{{Type: wire.PAOTPRequest, Value: req.Append(nil)}}, nil
}

func (m *otpMech) replyKey(l *login, _ *wire.KDCRep) (*enctype.Key, error) {
	if !m.sent {
		return nil, modified("a ticket before the one-time password was sent")
	}
	return l.fast.key, nil
}
