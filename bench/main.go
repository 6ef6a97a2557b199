package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	rounds := flag.Int("rounds", 5, "`number` of times everything is measured")
	ms := flag.Int("ms", 50, "`milliseconds` that each operation is measured in a round")
	only := flag.String("enctypes", "aes128-sha1,aes256-sha1,aes128-sha2,aes256-sha2", "`list` of encryption types")
	openssl := flag.String("openssl", "", "`directory` with MIT's libraries built with OpenSSL's cryptography, to measure them too")
	flag.Parse()
	if err := run(*rounds, time.Duration(*ms)*time.Millisecond, strings.Split(*only, ","), *openssl); err != nil {
		log.Fatal("bench: ", err)
	}
}

// run measures all implementations in turn, so that a change in the machine's
// speed meets each, and prints the tables.
func run(rounds int, perOp time.Duration, names []string, openssl string) error {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l, err := newLab(dir, openssl)
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
		t := &table{enctype: enctype}
		for _, peer := range l.peers {
			t.columns = append(t.columns, column{peer.name, make(map[string][]float64)})
		}
		ours := column{"Go", make(map[string][]float64)}
		t.columns = append(t.columns, ours)
		for range rounds {
			for n, peer := range l.peers {
				r, err := l.measure(peer, enctype, perOp)
				if err != nil {
					return err
				}
				t.columns[n].add(r)
			}
			r, err := p.all(perOp)
			if err != nil {
				return err
			}
			ours.add(r)
		}
		if i > 0 {
			fmt.Println()
		}
		if err := t.print(os.Stdout); err != nil {
			return err
		}
	}
	return nil
}
