package kdcnet

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

const (
	typeURI = 256 // RFC 7553 §4.5
	classIN = 1

	// dnsTimeout is how long one name server may take.
	dnsTimeout = 2 * time.Second
	// maxNameServers is how many there can be in resolv.conf.
	maxNameServers = 3
)

// uriRecord is a URI record (RFC 7553).
type uriRecord struct {
	priority, weight uint16
	target           string
	draw             float64 // see inOrder
}

// queryURI asks the name servers in turn for the URI records of a name. That the
// name has none is no error.
func (n *Network) queryURI(ctx context.Context, name string) ([]uriRecord, error) {
	query, err := appendQuery(nil, name)
	if err != nil {
		return nil, err
	}
	resolver := n.resolver()
	var errs several
	for _, addr := range nameServers(resolver.Dial != nil) {
		records, err := askDNS(ctx, resolver, addr, query)
		if err == nil {
			return records, nil
		}
		errs = append(errs, fmt.Errorf("URI records of %s: %w", clip(name), err))
		if ctx.Err() != nil {
			break
		}
	}
	if len(errs) == 0 {
		return nil, nil // no name server is known: SRV records have to do
	}
	return nil, errs
}

// nameServers returns those of /etc/resolv.conf. Without any a caller's dialer
// gets to see the address that Go's resolver uses then.
func nameServers(dialed bool) (list []string) {
	f, err := os.Open("/etc/resolv.conf")
	if err == nil {
		defer func() { _ = f.Close() }()
		lines := bufio.NewScanner(io.LimitReader(f, 64<<10))
		for lines.Scan() && len(list) < maxNameServers {
			if words := strings.Fields(lines.Text()); len(words) > 1 && words[0] == "nameserver" {
				list = append(list, net.JoinHostPort(words[1], "53"))
			}
		}
	}
	if len(list) == 0 && dialed {
		list = []string{"127.0.0.1:53"}
	}
	return list
}

// askDNS asks one name server, over UDP and, if the answer does not fit, over
// TCP.
func askDNS(ctx context.Context, resolver *net.Resolver, addr string, query []byte) ([]uriRecord, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, dnsTimeout, errTimeout)
	defer cancel()
	dial := resolver.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	for _, network := range []string{"udp", "tcp"} {
		records, err := askOver(ctx, dial, network, addr, query)
		if !errors.Is(err, errTruncated) {
			return records, ended(ctx, err)
		}
	}
	return nil, errTruncated
}

func askOver(ctx context.Context, dial func(context.Context, string, string) (net.Conn, error), network, addr string, query []byte) ([]uriRecord, error) {
	conn, err := dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	defer guard(ctx, conn)()
	// What a dialer returns decides, as in the net package.
	if _, packets := conn.(net.PacketConn); packets {
		if _, err := conn.Write(query); err != nil {
			return nil, err
		}
		buf := make([]byte, maxUDP)
		for {
			size, err := conn.Read(buf)
			if err != nil {
				return nil, err
			}
			// Anyone can send a datagram.
			if records, err := parseAnswer(buf[:size], query); !errors.Is(err, errNotOurs) {
				return records, err
			}
		}
	}
	framed := append(binary.BigEndian.AppendUint16(nil, uint16(len(query))), query...)
	if _, err := conn.Write(framed); err != nil {
		return nil, err
	}
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	answer := make([]byte, binary.BigEndian.Uint16(size[:])) // 64 KiB at most
	if _, err := io.ReadFull(conn, answer); err != nil {
		return nil, err
	}
	return parseAnswer(answer, query)
}

// appendQuery appends a query for the URI records of a name (RFC 1035 §4.1).
func appendQuery(dst []byte, name string) ([]byte, error) {
	var id [2]byte
	_, _ = rand.Read(id[:])                                       // never fails
	dst = append(dst, id[0], id[1], 1, 0, 0, 1, 0, 0, 0, 0, 0, 0) // recursion desired
	start := len(dst)
	for label := range strings.SplitSeq(strings.TrimSuffix(name, "."), ".") {
		if len(label) == 0 || len(label) > 63 {
			return nil, fmt.Errorf("%q is not a domain name", clip(name))
		}
		dst = append(append(dst, byte(len(label))), label...)
	}
	if dst = append(dst, 0); len(dst)-start > 255 {
		return nil, fmt.Errorf("%q is not a domain name", clip(name))
	}
	dst = binary.BigEndian.AppendUint16(dst, typeURI)
	return binary.BigEndian.AppendUint16(dst, classIN), nil
}

var (
	errNotOurs   = errors.New("not the answer to the query")
	errTruncated = errors.New("the answer is cut short")
	errBadAnswer = errors.New("the answer is malformed")
)

// parseAnswer returns the URI records in an answer to query.
func parseAnswer(b, query []byte) ([]uriRecord, error) {
	s := cryptobyte.String(b)
	var id, flags, questions, answers uint16
	var question []byte
	if !s.ReadUint16(&id) || !s.ReadUint16(&flags) || !s.ReadUint16(&questions) || !s.ReadUint16(&answers) || !s.Skip(4) ||
		id != binary.BigEndian.Uint16(query) || flags>>15 != 1 || questions != 1 ||
		!s.ReadBytes(&question, len(query)-12) || !strings.EqualFold(string(question), string(query[12:])) {
		return nil, errNotOurs
	}
	switch code := flags & 15; {
	case code == 3: // the name does not exist
		return nil, nil
	case code != 0:
		return nil, fmt.Errorf("the name server answers with code %d", code)
	case flags&0x0200 != 0:
		return nil, errTruncated
	}
	var records []uriRecord
	for range answers {
		var typ, class uint16
		var data cryptobyte.String
		if !skipName(&s) || !s.ReadUint16(&typ) || !s.ReadUint16(&class) || !s.Skip(4) || !s.ReadUint16LengthPrefixed(&data) {
			return nil, errBadAnswer
		}
		if typ != typeURI || class != classIN {
			continue // an alias on the way
		}
		var r uriRecord
		if !data.ReadUint16(&r.priority) || !data.ReadUint16(&r.weight) {
			return nil, errBadAnswer
		}
		if r.target = string(data); len(r.target) <= maxURL {
			records = append(records, r)
		}
	}
	return records, nil
}

// skipName reads past a name, which may end in a pointer (RFC 1035 §4.1.4).
func skipName(s *cryptobyte.String) bool {
	for {
		var n uint8
		switch {
		case !s.ReadUint8(&n):
			return false
		case n == 0:
			return true
		case n >= 0xc0:
			return s.Skip(1)
		case n >= 0x40 || !s.Skip(int(n)):
			return false
		}
	}
}
