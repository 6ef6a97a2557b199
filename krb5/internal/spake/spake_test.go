package spake

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gss-go/gssapi/krb5/internal/enctype"
	"github.com/gss-go/gssapi/krb5/internal/etype"
)

type vector map[string]string

func vectors(t testing.TB) []vector {
	t.Helper()
	f, err := os.Open("testdata/rfc9588.txt")
	require.NoError(t, err)
	defer f.Close()
	var list []vector
	for s := bufio.NewScanner(f); s.Scan(); {
		name, value, _ := strings.Cut(s.Text(), " ")
		switch name {
		case "", "#":
		case "etype":
			list = append(list, vector{})
			fallthrough
		default:
			list[len(list)-1][name] = value
		}
	}
	require.NotEmpty(t, list)
	return list
}

func (v vector) bytes(name string) []byte {
	b, err := hex.DecodeString(v[name])
	if err != nil {
		panic(err)
	}
	return b
}

func (v vector) number(name string) int {
	n, err := strconv.Atoi(v[name])
	if err != nil {
		panic(err)
	}
	return n
}

func (v vector) key(t *testing.T) *enctype.Key {
	k, err := enctype.NewKey(etype.ID(v.number("etype")), v.bytes("key"))
	require.NoError(t, err)
	return k
}

// secret is a private key of the vectors in the form that is kept here.
func (v vector) secret(g Group, name string) []byte {
	b := v.bytes(name)
	if g != Edwards25519 {
		return b
	}
	slices.Reverse(b)
	n := new(big.Int).SetBytes(b)
	n.Rsh(n, 3)
	n.FillBytes(b)
	slices.Reverse(b)
	return b
}

func TestVectors(t *testing.T) {
	for i, v := range vectors(t) {
		g := Group(v.number("group"))
		t.Run(fmt.Sprintf("%d/%v", i, g), func(t *testing.T) {
			key := v.key(t)
			w, err := W(g, key)
			require.NoError(t, err)
			require.Equal(t, v.bytes("w"), w)
			c, err := g.curve()
			require.NoError(t, err)
			x, y := v.secret(g, "x"), v.secret(g, "y")
			T, err := c.public(true, w, x)
			require.NoError(t, err)
			require.Equal(t, v.bytes("T"), T)
			S, err := c.public(false, w, y)
			require.NoError(t, err)
			require.Equal(t, v.bytes("S"), S)
			K, err := c.result(false, w, y, T)
			require.NoError(t, err)
			require.Equal(t, v.bytes("K"), K)
			K, err = c.result(true, w, x, S)
			require.NoError(t, err)
			require.Equal(t, v.bytes("K"), K)
			sum, err := Transcript(g, v.bytes("support"), v.bytes("challenge"), S)
			require.NoError(t, err)
			require.Equal(t, v.bytes("transcript"), sum)
			keys := Keys{g, key, w, K, sum, v.bytes("body")}
			for n := range uint32(4) {
				got, err := keys.Key(n)
				require.NoError(t, err)
				require.Equal(t, v.bytes(fmt.Sprintf("K%d", n)), got.Bytes(), "K'[%d]", n)
			}
		})
	}
}

func sides(t testing.TB, g Group, wKDC, wClient []byte) (kdc, client *Side) {
	t.Helper()
	kdc, err := New(g, true, wKDC)
	require.NoError(t, err)
	client, err = New(g, false, wClient)
	require.NoError(t, err)
	return kdc, client
}

func TestAgreement(t *testing.T) {
	key, err := enctype.GenerateKey(etype.AES256SHA2)
	require.NoError(t, err)
	for _, g := range Groups() {
		t.Run(g.String(), func(t *testing.T) {
			w, err := W(g, key)
			require.NoError(t, err)
			kdc, client := sides(t, g, w, w)
			a, err := kdc.Result(client.Public)
			require.NoError(t, err)
			b, err := client.Result(kdc.Public)
			require.NoError(t, err)
			require.Equal(t, a, b)

			// Another password, and the wrong way round.
			other := bytes.Clone(w)
			other[len(other)/2] ^= 1
			kdc, client = sides(t, g, w, other)
			a, err = kdc.Result(client.Public)
			require.NoError(t, err)
			b, err = client.Result(kdc.Public)
			require.NoError(t, err)
			require.NotEqual(t, a, b)
			one, two := sides(t, g, w, w)
			two.kdc = true
			a, err = one.Result(two.Public)
			require.NoError(t, err)
			b, err = two.Result(one.Public)
			require.NoError(t, err)
			require.NotEqual(t, a, b)

			// Fresh each time, and gone after Clear.
			again, err := New(g, true, w)
			require.NoError(t, err)
			require.NotEqual(t, kdc.Public, again.Public)
			again.Clear()
			require.Equal(t, make([]byte, len(again.secret)), again.secret)
		})
	}
}

// A peer that sends no point, or one that makes K known to all, is refused.
func TestPublicRefused(t *testing.T) {
	key, err := enctype.GenerateKey(etype.AES128SHA1)
	require.NoError(t, err)
	for _, g := range Groups() {
		t.Run(g.String(), func(t *testing.T) {
			w, err := W(g, key)
			require.NoError(t, err)
			kdc, client := sides(t, g, w, w)
			size := len(kdc.Public)
			for _, peer := range [][]byte{
				nil, {0}, make([]byte, size), bytes.Repeat([]byte{0xff}, size),
				kdc.Public[1:], append(bytes.Clone(kdc.Public), 0), append([]byte{4}, make([]byte, 2*size-2)...),
			} {
				if g == Edwards25519 && len(peer) == size && peer[0] == 0 {
					continue // a point of small order, which gives -8·y·w·M
				}
				_, err := client.Result(peer)
				require.ErrorIs(t, err, errPublic, "%x", peer)
			}
			// w·M alone makes K the neutral element.
			c, err := g.curve()
			require.NoError(t, err)
			zero := make([]byte, c.secretSize())
			known, err := c.public(true, w, zero)
			require.NoError(t, err)
			_, err = client.Result(known)
			require.ErrorIs(t, err, errPublic)
		})
	}
}

// Every input of the key derivation counts.
func TestKeysDepend(t *testing.T) {
	a, err := enctype.GenerateKey(etype.AES128SHA1)
	require.NoError(t, err)
	b, err := enctype.GenerateKey(etype.AES128SHA1)
	require.NoError(t, err)
	base := Keys{P256, a, []byte("w"), []byte("K"), []byte("t"), []byte("body")}
	seen := map[string]string{}
	for name, change := range map[string]func(*Keys){
		"base": func(*Keys) {}, "group": func(k *Keys) { k.Group = Edwards25519 }, "key": func(k *Keys) { k.Initial = b },
		"w": func(k *Keys) { k.W = []byte("v") }, "K": func(k *Keys) { k.K = []byte("L") },
		"transcript": func(k *Keys) { k.Transcript = []byte("s") }, "body": func(k *Keys) { k.Body = []byte("bodz") },
	} {
		k := base
		change(&k)
		for n := range uint32(2) {
			got, err := k.Key(n)
			require.NoError(t, err)
			require.Empty(t, seen[string(got.Bytes())])
			seen[string(got.Bytes())] = fmt.Sprint(name, n)
		}
	}
	x, err := Transcript(P256, []byte("s"), []byte("c"), []byte("p"))
	require.NoError(t, err)
	y, err := Transcript(P256, []byte("s"), []byte("c"), []byte("q"))
	require.NoError(t, err)
	require.NotEqual(t, x, y)
}

func TestGroups(t *testing.T) {
	for _, g := range Groups() {
		for _, name := range []string{g.String(), strings.ToUpper(g.String()), strings.ToLower(g.String())} {
			got, ok := Parse(name)
			require.True(t, ok)
			require.Equal(t, g, got)
		}
	}
	for _, name := range []string{"", "P-25", "P-2567", "ed25519"} {
		_, ok := Parse(name)
		require.False(t, ok)
	}
	key, err := enctype.GenerateKey(etype.AES128SHA1)
	require.NoError(t, err)
	for _, g := range []Group{0, 5, -1} {
		require.NotEmpty(t, g.String())
		_, err := W(g, key)
		require.ErrorIs(t, err, ErrGroup)
		_, err = New(g, true, nil)
		require.ErrorIs(t, err, ErrGroup)
		_, err = Transcript(g, nil, nil, nil)
		require.ErrorIs(t, err, ErrGroup)
		_, err = (&Keys{Group: g, Initial: key}).Key(0)
		require.ErrorIs(t, err, ErrGroup)
	}
}

// FuzzResult: no element of the peer's makes trouble.
func FuzzResult(f *testing.F) {
	for _, v := range vectors(f) {
		f.Add(uint8(v.number("group")), v.bytes("T"))
	}
	key, err := enctype.NewKey(etype.AES128SHA1, make([]byte, 16))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, n uint8, peer []byte) {
		g := Groups()[int(n)%len(Groups())]
		w, err := W(g, key)
		require.NoError(t, err)
		s, err := New(g, false, w)
		require.NoError(t, err)
		k, err := s.Result(peer)
		if err == nil && len(k) != len(s.Public) {
			t.Fatalf("%x gives %x", peer, k)
		}
	})
}

func BenchmarkSide(b *testing.B) {
	key, err := enctype.GenerateKey(etype.AES256SHA1)
	require.NoError(b, err)
	for _, g := range Groups() {
		b.Run(g.String(), func(b *testing.B) {
			w, err := W(g, key)
			require.NoError(b, err)
			kdc, _ := sides(b, g, w, w)
			b.ReportAllocs()
			for b.Loop() {
				s, err := New(g, false, w)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := s.Result(kdc.Public); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
