package testenv

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

const (
	maxMessage  = 1 << 20          // a request over TCP
	connTimeout = 30 * time.Second // an idle TCP connection
)

// listen opens a TCP and a UDP port with one number and serves them.
func (k *KDC) listen() {
	var err error
	for range 32 { // the UDP port of the same number can be taken
		for _, host := range []string{"127.0.0.1:0", "[::1]:0"} {
			var l net.Listener
			if l, err = net.Listen("tcp", host); err != nil {
				continue
			}
			var p net.PacketConn
			if p, err = net.ListenPacket("udp", l.Addr().String()); err != nil {
				l.Close()
				continue
			}
			k.listener, k.packets = l, p
			k.served.Go(k.servePackets)
			k.served.Go(k.serveConns)
			return
		}
	}
	panic(fmt.Sprintf("testenv: no loopback port: %v", err))
}

func (k *KDC) servePackets() {
	b := make([]byte, 64<<10)
	for {
		n, from, err := k.packets.ReadFrom(b)
		if err != nil {
			if k.isClosed() {
				return
			}
			continue // an ICMP error of an earlier reply
		}
		if reply, err := k.answer(b[:n], false); err == nil {
			_, _ = k.packets.WriteTo(reply, from)
		}
	}
}

func (k *KDC) serveConns() {
	for {
		c, err := k.listener.Accept()
		if err != nil {
			if k.isClosed() {
				return
			}
			time.Sleep(time.Millisecond) // out of descriptors, perhaps
			continue
		}
		k.mu.Lock()
		if k.closed {
			k.mu.Unlock()
			c.Close()
			return
		}
		k.conns[c] = struct{}{}
		k.served.Go(func() { k.serveConn(c) })
		k.mu.Unlock()
	}
}

// serveConn answers requests on a TCP connection (RFC 4120 §7.2.2).
func (k *KDC) serveConn(c net.Conn) {
	defer func() {
		c.Close()
		k.mu.Lock()
		delete(k.conns, c)
		k.mu.Unlock()
	}()
	for {
		_ = c.SetDeadline(time.Now().Add(connTimeout))
		var head [4]byte
		if _, err := io.ReadFull(c, head[:]); err != nil {
			return
		}
		size := binary.BigEndian.Uint32(head[:])
		var reply []byte
		if size > maxMessage {
			reply = k.errorReply(nil, &failure{code: errTooLong})
		} else {
			b := make([]byte, size)
			if _, err := io.ReadFull(c, b); err != nil {
				return
			}
			var err error
			if reply, err = k.answer(b, true); err != nil {
				return
			}
		}
		reply = append(binary.BigEndian.AppendUint32(nil, uint32(len(reply))), reply...)
		if _, err := c.Write(reply); err != nil || size > maxMessage {
			return
		}
	}
}

func (k *KDC) isClosed() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closed
}
