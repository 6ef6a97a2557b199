package conf

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// ParseDuration reads a duration as krb5.conf writes it, in whole seconds: a
// number of seconds, "3600"; numbers with units in this order, "1d 2h 3m 4s",
// any of them left out; "h:m", "h:m:s", "d-h:m:s". A minus sign may come first.
// The error is krberr DeltatBadFormat; durations above 2³¹−1 seconds are errors
// too.
func ParseDuration(text string) (time.Duration, error) {
	s := strings.Trim(text, blank)
	s, negative := strings.CutPrefix(s, "-")
	n, ok := seconds(s)
	if !ok {
		return 0, fmt.Errorf("%w: %.40q", krberr.DeltatBadFormat, text)
	}
	if negative {
		n = -n
	}
	return time.Duration(n) * time.Second, nil
}

func seconds(s string) (int64, bool) {
	if strings.Contains(s, ":") {
		return clock(s)
	}
	units := []struct {
		letter byte
		length int64
	}{{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}}
	var total int64
	seen := false
	for s != "" {
		n, rest, ok := number(s)
		if !ok {
			return 0, false
		}
		rest = strings.TrimLeft(rest, blank)
		if rest == "" {
			// A bare number is seconds, but only alone.
			return n, !seen
		}
		i := 0
		for i < len(units) && units[i].letter != rest[0]|0x20 {
			i++
		}
		if i == len(units) {
			return 0, false
		}
		if total += n * units[i].length; total > math.MaxInt32 {
			return 0, false
		}
		units, seen = units[i+1:], true
		s = strings.TrimLeft(rest[1:], blank)
	}
	return total, seen
}

// clock reads [d-]h:m[:s].
func clock(s string) (int64, bool) {
	var days int64
	if before, after, ok := strings.Cut(s, "-"); ok {
		n, rest, ok := number(before)
		if !ok || rest != "" || strings.Count(after, ":") != 2 {
			return 0, false
		}
		days, s = n, after
	}
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, false
	}
	var total int64
	for i := range 3 {
		total *= 60
		if i >= len(parts) {
			continue
		}
		n, rest, ok := number(parts[i])
		if !ok || rest != "" {
			return 0, false
		}
		total += n
	}
	total += days * 86400
	return total, total <= math.MaxInt32
}

// number reads the digits that s starts with, at most 2³¹−1.
func number(s string) (int64, string, bool) {
	var n int64
	i := 0
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		if n = n*10 + int64(s[i]-'0'); n > math.MaxInt32 {
			return 0, "", false
		}
	}
	return n, s[i:], i > 0
}
