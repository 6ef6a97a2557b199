package ccache_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/ccache"
	"github.com/gss-go/gssapi/krb5/conf"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
	"github.com/gss-go/gssapi/krb5/internal/principal"
)

// Which operations a daemon of the tests lacks, and what it says then: as
// Heimdal's, and as one that can do nothing more than it must.
type lacks map[uint16]krberr.Code

var (
	everything = lacks{}
	few        = lacks{13001: krberr.FCCInternal, 13002: krberr.FCCInternal}
	fewest     = lacks{13001: krberr.CCIO, 13002: krberr.CCNoSupp, 11: krberr.CCNoSupp, 22: krberr.CCIO, 23: krberr.CCNoSupp}
)

// daemon is a KCM daemon that keeps what it is given as it is.
type daemon struct {
	lacks lacks

	mu       sync.Mutex
	names    []string
	caches   map[string]*daemonCache
	primary  string
	next     int
	requests []uint16
}

type daemonCache struct {
	principal []byte
	offset    [4]byte
	creds     [][]byte
}

// serve runs handle for each connection to a socket and returns the collection
// that it is.
func serve(t *testing.T, handle func(net.Conn)) ccache.Collection {
	t.Helper()
	dir, err := os.MkdirTemp("", "kcm") // names of sockets are short
	require.NoError(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "socket")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = c.Close() }()
				handle(c)
			})
		}
	})
	t.Cleanup(func() {
		require.NoError(t, l.Close())
		wg.Wait()
	})
	c, err := conf.Parse("[libdefaults]\nkcm_socket = " + filepath.ToSlash(path) + "\n")
	require.NoError(t, err)
	col, err := ccache.OpenCollection("KCM:", c)
	require.NoError(t, err)
	return col
}

func kcmCollection(t *testing.T, l lacks) ccache.Collection {
	t.Helper()
	d := &daemon{lacks: l, caches: map[string]*daemonCache{}, primary: "0"}
	return serve(t, d.handle)
}

func (d *daemon) handle(c net.Conn) {
	for {
		var head [8]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		args := make([]byte, binary.BigEndian.Uint32(head[:])-4)
		if _, err := io.ReadFull(c, args); err != nil || head[4] != 2 || head[5] != 0 {
			return
		}
		d.mu.Lock()
		result, code := d.do(binary.BigEndian.Uint16(head[6:]), args)
		d.mu.Unlock()
		if _, err := c.Write(reply(code, result)); err != nil {
			return
		}
	}
}

func reply(code krberr.Code, result []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(4+len(result)))
	b = binary.BigEndian.AppendUint32(b, 0)
	return append(binary.BigEndian.AppendUint32(b, uint32(code)), result...)
}

func (d *daemon) do(op uint16, args []byte) ([]byte, krberr.Code) {
	d.requests = append(d.requests, op)
	if code, ok := d.lacks[op]; ok {
		return nil, code
	}
	switch op {
	case 3:
		d.next++
		return fmt.Appendf(nil, "0:%d\x00", d.next), 0
	case 18:
		if len(d.names) == 0 {
			return nil, krberr.FCCNoFile
		}
		var ids []byte
		for _, n := range d.names {
			ids = append(ids, fmt.Sprintf("%16s", n)...)
		}
		return append(ids, "            gone"...), 0
	case 19:
		name := strings.TrimSpace(string(args))
		if name == "gone" {
			return nil, krberr.CCEnd
		}
		return append([]byte(name), 0), 0
	case 20:
		return append([]byte(d.primary), 0), 0
	}
	text, args, _ := bytes.Cut(args, []byte{0})
	name := string(text)
	c := d.caches[name]
	switch op {
	case 4, 13002:
		if c == nil {
			d.names = append(d.names, name)
		}
		c = new(daemonCache)
		d.caches[name] = c
		if op == 4 {
			c.principal = args
			return nil, 0
		}
		c.offset = [4]byte(args)
		n := principalSize(args[4:])
		c.principal, args = args[4:4+n], args[4+n:]
		for args = args[4:]; len(args) > 0; {
			n := binary.BigEndian.Uint32(args)
			c.creds = append(c.creds, args[4:4+n])
			args = args[4+n:]
		}
		return nil, 0
	case 21:
		d.primary = name
		return nil, 0
	case 8:
		if c == nil && d.lacks[13001] == krberr.FCCInternal {
			return nil, 0 // as Heimdal's does
		}
	case 5:
		d.names = slices.DeleteFunc(d.names, func(n string) bool { return n == name })
		delete(d.caches, name)
		return nil, 0
	}
	if c == nil {
		return nil, krberr.FCCNoFile
	}
	switch op {
	case 6:
		c.creds = append(c.creds, args)
	case 8:
		return c.principal, 0
	case 9:
		var ids []byte
		for i := range c.creds {
			ids = append(ids, fmt.Sprintf("%16d", i)...)
		}
		return append(ids, "              -1"...), 0
	case 10:
		var i int
		if _, err := fmt.Sscan(string(args), &i); err != nil || i < 0 || i >= len(c.creds) {
			return nil, krberr.CCEnd
		}
		return c.creds[i], 0
	case 11:
		flags, has := binary.BigEndian.Uint32(args), binary.BigEndian.Uint32(args[4:])
		names := args[8:]
		n := principalSize(names)
		n += principalSize(names[n:])
		rest := names[n:]
		if has&4 != 0 {
			rest = rest[6:] // the enctype and an empty key
		}
		if flags&(1<<26) == 0 || flags>>30&1 != has>>2&1 || has&3 != 3 || len(rest) != 16+1+4 {
			return nil, krberr.CCIO
		}
		c.creds = slices.DeleteFunc(c.creds, func(e []byte) bool {
			key := n + 6 + int(binary.BigEndian.Uint32(e[min(n+2, len(e)-4):]))
			return bytes.HasPrefix(e, names[:n]) && bytes.HasPrefix(e[key:], rest[:16])
		})
	case 13001:
		b := binary.BigEndian.AppendUint32(nil, uint32(len(c.creds)))
		for _, e := range c.creds {
			b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
		}
		return b, 0
	case 22:
		return c.offset[:], 0
	case 23:
		c.offset = [4]byte(args)
	default:
		return nil, krberr.FCCInternal
	}
	return nil, 0
}

// principalSize returns how long the principal is that b begins with.
func principalSize(b []byte) int {
	n, at := binary.BigEndian.Uint32(b[4:]), 8
	for range n + 1 {
		at += 4 + int(binary.BigEndian.Uint32(b[at:]))
	}
	return at
}

// With a daemon that knows them, the operations that do everything in one step
// are used, and no other.
func TestKCMOperations(t *testing.T) {
	d := &daemon{caches: map[string]*daemonCache{}, primary: "0"}
	c := primary(t, serve(t, d.handle))
	require.NoError(t, c.Init(t.Context(), contents(alice, ticket("a", 1700000000))))
	_, err := c.Load(t.Context())
	require.NoError(t, err)
	require.Equal(t, []uint16{20, 13002, 8, 22, 13001}, d.requests)
}

// A cache that could not be filled is not left behind.
func TestKCMNewFails(t *testing.T) {
	d := &daemon{caches: map[string]*daemonCache{}, primary: "0", lacks: lacks{13002: krberr.CCNoSupp, 6: krberr.CCWrite}}
	col := serve(t, d.handle)
	_, err := col.New(t.Context(), contents(alice, ticket("a", 1700000000)))
	require.ErrorIs(t, err, krberr.CCWrite)
	require.Empty(t, d.caches)
	_, err = col.New(t.Context(), contents(principal.New(strings.Repeat("x", 1<<17), "y")))
	require.ErrorIs(t, err, krberr.CCFormat)
}

// Whatever a daemon says, there is an error, soon.
func TestKCMHostile(t *testing.T) {
	be := binary.BigEndian
	replies := map[string][]byte{
		"nothing":         nil,
		"half a head":     {0, 0, 0, 4, 0, 0},
		"no code":         {0, 0, 0, 0, 0, 0, 0, 0},
		"short":           {0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 0},
		"huge":            be.AppendUint32(nil, 0xFFFFFFFF),
		"too long":        append(be.AppendUint32(nil, 10<<20+1), make([]byte, 1<<10)...),
		"transport error": {0, 0, 0, 0, 0x96, 0xC7, 0x3A, 0xC2},
		"error":           reply(krberr.FCCPerm, nil),
		"other error":     reply(13, nil),
		"noise":           reply(0, []byte("\xff\xff\xff\xff\xff\xff\xff\xff")),
		"result empty":    reply(0, nil),
		"many":            reply(0, be.AppendUint32(nil, 1<<31)),
	}
	for name, b := range replies {
		t.Run(name, func(t *testing.T) {
			col := serve(t, func(c net.Conn) {
				for {
					if _, err := c.Read(make([]byte, 1<<16)); err != nil {
						return
					}
					if _, err := c.Write(b); err != nil || len(b) < 12 || name == "short" || name == "too long" {
						return
					}
				}
			})
			cc, err := ccache.Resolve(t.Context(), "KCM:x", nil)
			require.NoError(t, err)
			require.Equal(t, "KCM:x", cc.Name())
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err = col.Primary(ctx)
			require.Error(t, err)
			require.NoError(t, ctx.Err())
			require.NotZero(t, krberr.Of(err))
			if name != "result empty" {
				_, err = col.Caches(ctx)
				require.Error(t, err)
			}
			if _, err = col.New(ctx, contents(alice, ticket("a", 1700000000))); name != "result empty" {
				require.Error(t, err)
			}
		})
	}
}

// A daemon that never answers keeps nobody longer than the context.
func TestKCMSilent(t *testing.T) {
	col := serve(t, func(c net.Conn) { _, _ = io.Copy(io.Discard, c) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := col.Primary(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func FuzzKCMReply(f *testing.F) {
	e := ticket("a", 1700000000)
	f.Add(reply(0, []byte("0:1\x00")))
	f.Add(reply(krberr.FCCNoFile, nil))
	f.Add(reply(0, make([]byte, 32)))
	f.Add(reply(0, ccache.AppendCredList(nil, []ccache.Credential{e, ccache.ConfEntry(alice, "k", nil, []byte("v"))})))
	f.Fuzz(func(t *testing.T, b []byte) {
		result, err := ccache.ParseKCMReply(bytes.NewReader(b))
		if err != nil {
			return
		}
		if len(result) > len(b) {
			t.Fatalf("%d bytes of %d", len(result), len(b))
		}
		if name, err := ccache.ParseKCMName(result); err == nil && name+"\x00" != string(result) {
			t.Fatalf("name %q of %q", name, result)
		}
		if ids, err := ccache.ParseKCMUUIDs(result); err == nil && !bytes.Equal(bytes.Join(ids, nil), result) {
			t.Fatalf("UUIDs of %x", result)
		}
		if list, err := ccache.ParseKCMCredList(result); err == nil {
			out := ccache.AppendCredList(nil, list)
			again, err := ccache.ParseKCMCredList(out)
			if err != nil || fmt.Sprint(plain(again)) != fmt.Sprint(plain(list)) {
				t.Fatalf("list of %x: %v", result, err)
			}
		}
	})
}
