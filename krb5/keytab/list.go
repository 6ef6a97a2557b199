package keytab

import (
	"crypto/subtle"
	"slices"
)

// Remove takes out the entries for which match returns true and returns how many
// there were. It is not safe for concurrent use. [RemoveFrom] does it to a file.
func (k *Keytab) Remove(match func(*Entry) bool) int {
	n := len(k.entries)
	k.entries = slices.DeleteFunc(slices.Clone(k.entries), func(e Entry) bool { return match(&e) })
	return n - len(k.entries)
}

// Principals returns whose keys there are, each once, in the order of the file.
func (k *Keytab) Principals() []Principal {
	var list []Principal
	for i := range k.entries {
		if p := k.entries[i].Principal; !slices.ContainsFunc(list, p.Equal) {
			list = append(list, p)
		}
	}
	return list
}

// Newest returns the entries of a principal, realm included, with its highest
// kvno: one for each encryption type. What is highest is as in [Keytab.Lookup].
// The slice is empty if there are none.
func (k *Keytab) Newest(p Principal) []Entry {
	best := -1
	for i := range k.entries {
		if k.entries[i].Principal.Equal(p) && (best < 0 || newer(&k.entries[i], &k.entries[best])) {
			best = i
		}
	}
	var list []Entry
	for i := range k.entries {
		if e := &k.entries[i]; e.Principal.Equal(p) && e.Kvno == k.entries[best].Kvno {
			list = append(list, *e)
		}
	}
	return list
}

// Aliases returns the principals, without p itself, that share a key with p: the
// names under which one service is known.
func (k *Keytab) Aliases(p Principal) []Principal {
	var list []Principal
	for i := range k.entries {
		e := &k.entries[i]
		if e.Principal.Equal(p) || slices.ContainsFunc(list, e.Principal.Equal) {
			continue
		}
		if slices.ContainsFunc(k.entries, func(o Entry) bool { return o.Principal.Equal(p) && e.sameKey(&o) }) {
			list = append(list, e.Principal)
		}
	}
	return list
}

func (e *Entry) sameKey(o *Entry) bool {
	return e.Kvno == o.Kvno && e.Key.Enctype == o.Key.Enctype &&
		subtle.ConstantTimeCompare(e.Key.Value.Bytes(), o.Key.Value.Bytes()) == 1
}
