package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// column has what was measured of one implementation: a number of nanoseconds
// per round for each operation.
type column struct {
	name  string
	times map[string][]float64
}

func (c column) add(r results) {
	for op, ns := range r {
		c.times[op] = append(c.times[op], ns)
	}
}

// table is what was measured for one enctype. Its last column is ours.
type table struct {
	enctype string
	columns []column
}

// rows are the operations in their order.
func rows() (names []string) {
	for _, name := range []string{"mutual", "oneway"} {
		names = append(names, "initiate/"+name, "accept/"+name)
	}
	for _, o := range pairs() {
		for _, size := range sizes {
			names = append(names, fmt.Sprintf("%s/%d", o[0], size), fmt.Sprintf("%s/%d", o[1], size))
		}
	}
	return names
}

// print writes the medians in Markdown: microseconds per operation, for long
// messages megabytes per second. The last column says how many times as long the
// fastest of the others takes.
func (t *table) print(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "| %-18s |", t.enctype)
	for _, c := range t.columns {
		fmt.Fprintf(&b, " %11s |", c.name)
	}
	fmt.Fprintf(&b, " %9s |\n|:-------------------|", "ratio")
	for range t.columns {
		b.WriteString("------------:|")
	}
	b.WriteString("----------:|\n")
	for _, op := range rows() {
		fmt.Fprintf(&b, "| %-18s |", op)
		best := math.Inf(1)
		for i, c := range t.columns {
			ns := median(c.times[op])
			ours := i == len(t.columns)-1
			size, long := 65536.0, strings.HasSuffix(op, "/65536")
			switch {
			case math.IsNaN(ns) && ours:
				return fmt.Errorf("we did not do %s", op)
			case math.IsNaN(ns):
				b.WriteString("             |")
				continue
			case long:
				fmt.Fprintf(&b, " %6.0f MB/s |", size*1e3/ns)
			default:
				fmt.Fprintf(&b, " %8.2f µs |", ns/1e3)
			}
			if !ours {
				best = min(best, ns)
				continue
			}
			fmt.Fprintf(&b, " %9.2f |\n", best/ns)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// median returns the median, NaN of nothing.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
