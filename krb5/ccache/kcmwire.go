package ccache

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// kcmOp is an operation of the KCM protocol.
type kcmOp uint16

const (
	kcmGenNew        kcmOp = 3     // () -> name
	kcmInitialize    kcmOp = 4     // name, principal -> ()
	kcmDestroy       kcmOp = 5     // name -> ()
	kcmStore         kcmOp = 6     // name, credential -> ()
	kcmGetPrincipal  kcmOp = 8     // name -> principal
	kcmCredUUIDs     kcmOp = 9     // name -> UUIDs
	kcmCredByUUID    kcmOp = 10    // name, UUID -> credential
	kcmRemoveCred    kcmOp = 11    // name, flags, pattern -> ()
	kcmCacheUUIDs    kcmOp = 18    // () -> UUIDs
	kcmCacheByUUID   kcmOp = 19    // UUID -> name
	kcmGetDefault    kcmOp = 20    // () -> name
	kcmSetDefault    kcmOp = 21    // name -> ()
	kcmGetKDCOffset  kcmOp = 22    // name -> seconds
	kcmSetKDCOffset  kcmOp = 23    // name, seconds -> ()
	kcmGetCredList   kcmOp = 13001 // MIT: name -> count, that many of length, credential
	kcmReplace       kcmOp = 13002 // MIT: name, seconds, principal, list of credentials -> ()
	kcmMajor         byte  = 2
	kcmMinor         byte  = 0
	kcmUUIDSize            = 16
	maxKCMReply            = 10 << 20 // bytes, as in MIT
	kcmMaxPerCall          = 1 << 16  // UUIDs in a list
	kcmDefaultSocket       = "/var/run/.heim_org.h5l.kcm-socket"
)

// Flags of kcmRemoveCred, which are Heimdal's, and of its pattern.
const (
	kcmMatchTimesExact uint32 = 1 << 26
	kcmMatchKeytype    uint32 = 1 << 30

	kcmHasClient uint32 = 1 << 0
	kcmHasServer uint32 = 1 << 1
	kcmHasKey    uint32 = 1 << 2
)

// kcmRequest is an operation with its arguments, without its length.
func kcmRequest(op kcmOp, name string) []byte {
	b := binary.BigEndian.AppendUint16([]byte{kcmMajor, kcmMinor}, uint16(op))
	if name != "" {
		b = append(append(b, name...), 0)
	}
	return b
}

// appendPattern appends what identifies a credential to kcmRemoveCred.
func (c *Credential) appendPattern(dst []byte) []byte {
	be := binary.BigEndian
	has := kcmHasClient | kcmHasServer
	if c.Key.Enctype != 0 {
		has |= kcmHasKey
	}
	dst = be.AppendUint32(dst, has)
	dst = appendPrincipal(dst, c.Client)
	dst = appendPrincipal(dst, c.Server)
	if c.Key.Enctype != 0 {
		// The type is compared, the key is nobody's business.
		dst = be.AppendUint16(dst, uint16(c.Key.Enctype))
		dst = appendData(dst, "")
	}
	for _, t := range []time.Time{c.AuthTime, c.StartTime, c.EndTime, c.RenewTill} {
		dst = be.AppendUint32(dst, unix32(t))
	}
	dst = append(dst, 0)           // is_skey is not compared
	return be.AppendUint32(dst, 0) // nor are flags
}

// appendCredList appends credentials as kcmReplace takes them.
func appendCredList(dst []byte, entries []Credential) []byte {
	be := binary.BigEndian
	dst = be.AppendUint32(dst, uint32(len(entries)))
	for i := range entries {
		start := len(dst)
		dst = entries[i].append(be.AppendUint32(dst, 0), version4)
		be.PutUint32(dst[start:], uint32(len(dst)-start-4))
	}
	return dst
}

// badReply is an answer that is not one to the question.
func badReply(err error) error {
	return fmt.Errorf("%w: malformed reply of the KCM daemon: %w", krberr.CCFormat, err)
}

var errTrailing = errors.New("bytes after the end")

func parseKCMName(b []byte) (string, error) {
	name, ok := strings.CutSuffix(string(b), "\x00")
	if !ok || name == "" || strings.ContainsRune(name, 0) {
		return "", badReply(errors.New("name"))
	}
	return name, nil
}

func parseKCMUUIDs(b []byte) ([][]byte, error) {
	if len(b)%kcmUUIDSize != 0 || len(b)/kcmUUIDSize > kcmMaxPerCall {
		return nil, badReply(errors.New("length of a list"))
	}
	var list [][]byte
	for ; len(b) > 0; b = b[kcmUUIDSize:] {
		list = append(list, b[:kcmUUIDSize:kcmUUIDSize])
	}
	return list, nil
}

func parseKCMOffset(b []byte) (time.Duration, error) {
	if len(b) != 4 {
		return 0, badReply(errors.New("time offset"))
	}
	return time.Duration(int32(binary.BigEndian.Uint32(b))) * time.Second, nil
}

func parseKCMCredList(b []byte) ([]Credential, error) {
	r := reader{b: b}
	n := r.count(4)
	var list []Credential
	for range n {
		c, err := parseCredential(r.data())
		if r.err != nil {
			break
		}
		if err != nil {
			return nil, badReply(err)
		}
		list = append(list, c)
	}
	if r.err == nil && len(r.b) > 0 {
		r.err = errTrailing
	}
	if r.err != nil {
		return nil, badReply(r.err)
	}
	return list, nil
}

// parseCredential reads a credential in version 4 of the format.
func parseCredential(b []byte) (Credential, error) {
	r := reader{b: b}
	c := r.credential(version4)
	if r.err == nil && len(r.b) > 0 {
		r.err = errTrailing
	}
	return c, r.err
}

// parsePrincipalData reads a principal in version 4 of the format.
func parsePrincipalData(b []byte) (Principal, error) {
	r := reader{b: b}
	p := r.principal()
	if r.err == nil && len(r.b) > 0 {
		r.err = errTrailing
	}
	return p, r.err
}

// kcmConn is a connection to the daemon, for the duration of one call.
type kcmConn struct {
	net.Conn
	stop func() bool
	done chan struct{}
}

// dialKCM connects to the daemon. The connection obeys ctx until it is closed.
func dialKCM(ctx context.Context, socket string) (*kcmConn, error) {
	if socket == "-" {
		return nil, fmt.Errorf("%w: the configuration's kcm_socket forbids it", krberr.CCIO)
	}
	var d net.Dialer
	c, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		code := krberr.CCIO
		if errors.Is(err, fs.ErrPermission) {
			code = krberr.FCCPerm
		}
		return nil, fmt.Errorf("%w: no KCM daemon: %w", code, err)
	}
	k := &kcmConn{Conn: c, done: make(chan struct{})}
	k.stop = context.AfterFunc(ctx, func() {
		defer close(k.done)
		_ = c.SetDeadline(time.Unix(1, 0)) // it fails only on a closed connection
	})
	return k, nil
}

func (k *kcmConn) close() {
	if !k.stop() {
		<-k.done
	}
	_ = k.Conn.Close() // every reply has been read
}

// call sends a request and returns the result. The daemon's error is a
// krberr.Code.
func (k *kcmConn) call(ctx context.Context, request []byte) ([]byte, error) {
	b := binary.BigEndian.AppendUint32(make([]byte, 0, 4+len(request)), uint32(len(request)))
	b = append(b, request...)
	defer clear(b)
	if _, err := k.Write(b); err != nil {
		return nil, broken(ctx, err)
	}
	result, err := readKCMReply(k)
	if err != nil && krberr.Of(err) == 0 {
		return nil, broken(ctx, err)
	}
	return result, err
}

func broken(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return fmt.Errorf("%w: KCM daemon: %w", krberr.CCIO, err)
}

// readKCMReply reads a reply: the length of what follows the transport's code,
// that code, the daemon's code and the result.
func readKCMReply(r io.Reader) ([]byte, error) {
	var head [8]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n, code := binary.BigEndian.Uint32(head[:]), krberr.Code(binary.BigEndian.Uint32(head[4:]))
	if code != 0 {
		return nil, kcmError(code)
	}
	if n < 4 || n > maxKCMReply {
		return nil, badReply(errors.New("length"))
	}
	b, err := io.ReadAll(io.LimitReader(r, int64(n)))
	if err == nil && len(b) < int(n) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	if code := krberr.Code(binary.BigEndian.Uint32(b)); code != 0 {
		return nil, kcmError(code)
	}
	return b[4:], nil
}

func kcmError(code krberr.Code) error {
	if code == krberr.FCCNoFile {
		return fmt.Errorf("%w: KCM: %w", code, fs.ErrNotExist)
	}
	return fmt.Errorf("%w: KCM", code)
}

// unsupported reports whether the error may mean that the daemon does not know
// the operation: Heimdal's says FCCInternal, SSSD's CCNoSupp or CCIO.
func unsupported(err error) bool {
	switch krberr.Of(err) {
	case krberr.FCCInternal, krberr.CCNoSupp, krberr.CCIO:
		return true
	}
	return false
}
