package kdcclient

import (
	"context"

	"github.com/gss-go/gssapi/krb5/internal/wire"
)

// usageEncTimestamp is the key usage of PA-ENC-TIMESTAMP (RFC 4120 §7.5.1).
const usageEncTimestamp = 1

// encTimestamp is the encrypted timestamp (RFC 4120 §5.2.7.2).
type encTimestamp struct{ longTerm }

func (encTimestamp) padata() int32 { return wire.PAEncTimestamp }
func (encTimestamp) name() string  { return "encrypted timestamp" }

func (encTimestamp) respond(_ context.Context, l *login) ([]wire.PAData, error) {
	key, err := l.clientKey(l.method, 0)
	if err != nil {
		return nil, err
	}
	stamp := wire.PAEncTS{Time: l.c.now(l.offset)}
	cipher, err := key.Encrypt(nil, stamp.Append(nil), usageEncTimestamp)
	if err != nil {
		return nil, err
	}
	enc := wire.EncryptedData{Etype: key.Enctype(), Cipher: cipher}
	return []wire.PAData{{Type: wire.PAEncTimestamp, Value: enc.Append(nil)}}, nil
}
