//go:build !(amd64 || arm64) || !gc || purego || boringcrypto

package aescbc

var implementations = []implementation{standard}

// schedule has no kernel to be expanded for.
type schedule struct{ enc RoundKeys }

func (*schedule) expand([]byte) int { return 0 }

func (*schedule) encrypt(int, []byte, []byte, *[BlockSize]byte) {}

func (*schedule) decrypt(implementation, int, []byte, []byte, *[BlockSize]byte) {}
