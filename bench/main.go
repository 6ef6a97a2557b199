package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"slices"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 5, "`number` of times everything is measured")
	ms := flag.Int("ms", 50, "`milliseconds` that each operation is measured in a round")
	only := flag.String("enctypes", "aes128-sha1,aes256-sha1,aes128-sha2,aes256-sha2", "`list` of encryption types")
	flag.Parse()
	if err := run(*rounds, time.Duration(*ms)*time.Millisecond, strings.Split(*only, ",")); err != nil {
		log.Fatal("bench: ", err)
	}
}

// run measures both implementations in turn, so that a change in the machine's
// speed meets both, and prints the table.
func run(rounds int, perOp time.Duration, names []string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := newLab(dir)
	if err != nil {
		return err
	}
	defer l.realm.Close()
	for i, enctype := range names {
		if enctypes[enctype] == "" {
			return fmt.Errorf("no encryption type %q", enctype)
		}
		if err := l.prepare(enctype); err != nil {
			return err
		}
		p, err := l.parties(enctype)
		if err != nil {
			return err
		}
		mit, ours := make(map[string][]float64), make(map[string][]float64)
		for range rounds {
			m, err := l.mit(enctype, perOp)
			if err != nil {
				return err
			}
			o, err := p.all(perOp)
			if err != nil {
				return err
			}
			if len(m) != len(o) {
				return fmt.Errorf("MIT did %d operations, we %d", len(m), len(o))
			}
			for name := range m {
				mit[name] = append(mit[name], m[name])
				ours[name] = append(ours[name], o[name])
			}
		}
		if i > 0 {
			fmt.Println()
		}
		table(enctype, mit, ours)
	}
	return nil
}

// table prints the medians in Markdown: microseconds per operation, for long
// messages also megabytes per second.
func table(enctype string, mit, ours map[string][]float64) {
	fmt.Printf("| %-18s | %9s | %9s | %9s |\n", enctype, "MIT", "Go", "MIT/Go")
	fmt.Println("|:-------------------|----------:|----------:|----------:|")
	row := func(name string) {
		m, o := median(mit[name]), median(ours[name])
		fmt.Printf("| %-18s | %6.2f µs | %6.2f µs | %9.2f |\n", name, m/1e3, o/1e3, m/o)
		if size, long := strings.CutSuffix(name, "/65536"); long {
			fmt.Printf("| %-18s | %4.0f MB/s | %4.0f MB/s |           |\n", size+", rate", 65536e3/m, 65536e3/o)
		}
	}
	for _, name := range []string{"mutual", "oneway"} {
		row("initiate/" + name)
		row("accept/" + name)
	}
	for _, o := range operations {
		for _, size := range sizes {
			row(fmt.Sprintf("%s/%d", o.make, size))
			row(fmt.Sprintf("%s/%d", o.take, size))
		}
	}
}

func median(v []float64) float64 {
	v = slices.Sorted(slices.Values(v))
	n := len(v)
	return (v[(n-1)/2] + v[n/2]) / 2
}
