//go:build !(amd64 || arm64) || !gc || purego || boringcrypto

package aescbc

// schedule has no kernel to be expanded for.
type schedule struct{}

const interleaving = false

func accelerated() bool { return false }

func (*schedule) expand([]byte) int { return 0 }

func (*schedule) encrypt(int, []byte, []byte, *[BlockSize]byte) {}

func (*schedule) decrypt(int, []byte, []byte, *[BlockSize]byte) {}
