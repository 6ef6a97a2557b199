package kkdcp

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// A proxy that never ends its header is given up after so many bytes, not when
// memory or time run out.
func TestEndlessHeader(t *testing.T) {
	sent := make(chan int64, 1)
	s, config := proxy(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nX: ")
		line := make([]byte, 64<<10)
		for i := range line {
			line[i] = 'x'
		}
		var n int64
		for err == nil && n < 4*maxResponse {
			var k int
			k, err = conn.Write(line)
			n += int64(k)
		}
		sent <- n
	})
	c := &Client{URL: s.URL, TLS: config}
	_, err := c.Exchange(t.Context(), request(t, ""))
	require.Error(t, err)
	require.Less(t, <-sent, int64(4*maxResponse))
}
