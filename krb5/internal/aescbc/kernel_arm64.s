//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// AESE and AESD add the round key first, then substitute and shift; the last
// key is added with VEOR.
//
// Round keys lie right-aligned in 15 places of 16 bytes: AES-256 starts at the
// first, AES-128 at the fifth, and from there on both do the same. They stay
// in V16 to V30. V31 is the ciphertext block before the current one.

#define LOADKEYS \
	VLD1.P 64(R0), [V16.B16, V17.B16, V18.B16, V19.B16] \
	VLD1.P 64(R0), [V20.B16, V21.B16, V22.B16, V23.B16] \
	VLD1.P 64(R0), [V24.B16, V25.B16, V26.B16, V27.B16] \
	VLD1   (R0), [V28.B16, V29.B16, V30.B16]

// ROUND is one round of one state.
#define ROUND(sub, mix, key, state) \
	sub key.B16, state.B16   \
	mix state.B16, state.B16

// func subWord(w uint32) uint32
//
// AESE without a key is ShiftRows and SubBytes. ShiftRows leaves four equal
// columns as they are.
TEXT ·subWord(SB), NOSPLIT, $0-12
	MOVWU w+0(FP), R0
	VDUP  R0, V0.S4
	VEOR  V1.B16, V1.B16, V1.B16
	AESE  V1.B16, V0.B16
	VMOV  V0.S[0], R0
	MOVW  R0, ret+8(FP)
	RET

// func invMixColumns(key *[4]uint32)
TEXT ·invMixColumns(SB), NOSPLIT, $0-8
	MOVD   key+0(FP), R0
	VLD1   (R0), [V0.B16]
	AESIMC V0.B16, V0.B16
	VST1   [V0.B16], (R0)
	RET

// func encryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
//
// V0 is the state, V31 the ciphertext.
TEXT ·encryptBlocks(SB), NOSPLIT, $0-48
	MOVD keys+0(FP), R0
	MOVD rounds+8(FP), R1
	MOVD dst+16(FP), R2
	MOVD src+24(FP), R3
	MOVD blocks+32(FP), R4
	MOVD iv+40(FP), R5
	LOADKEYS
	VLD1 (R5), [V31.B16]

encryptBlock:
	VLD1.P 16(R3), [V0.B16]
	VEOR   V31.B16, V0.B16, V0.B16
	CMP    $10, R1
	BEQ    encrypt128
	ROUND(AESE, AESMC, V16, V0)
	ROUND(AESE, AESMC, V17, V0)
	ROUND(AESE, AESMC, V18, V0)
	ROUND(AESE, AESMC, V19, V0)

encrypt128:
	ROUND(AESE, AESMC, V20, V0)
	ROUND(AESE, AESMC, V21, V0)
	ROUND(AESE, AESMC, V22, V0)
	ROUND(AESE, AESMC, V23, V0)
	ROUND(AESE, AESMC, V24, V0)
	ROUND(AESE, AESMC, V25, V0)
	ROUND(AESE, AESMC, V26, V0)
	ROUND(AESE, AESMC, V27, V0)
	ROUND(AESE, AESMC, V28, V0)
	AESE   V29.B16, V0.B16
	VEOR   V30.B16, V0.B16, V31.B16
	VST1.P [V31.B16], 16(R2)
	SUB    $1, R4
	CBNZ   R4, encryptBlock
	VST1   [V31.B16], (R5)
	RET

#define EACH8(key) \
	ROUND(AESD, AESIMC, key, V0) \
	ROUND(AESD, AESIMC, key, V1) \
	ROUND(AESD, AESIMC, key, V2) \
	ROUND(AESD, AESIMC, key, V3) \
	ROUND(AESD, AESIMC, key, V4) \
	ROUND(AESD, AESIMC, key, V5) \
	ROUND(AESD, AESIMC, key, V6) \
	ROUND(AESD, AESIMC, key, V7)

#define EACH1(key) ROUND(AESD, AESIMC, key, V0)

// ROUNDS is the inverse cipher for one of them, without its last round.
#define ROUNDS(EACH, small) \
	CMP $10, R1 \
	BEQ small   \
	EACH(V16)   \
	EACH(V17)   \
	EACH(V18)   \
	EACH(V19)   \
small:          \
	EACH(V20)   \
	EACH(V21)   \
	EACH(V22)   \
	EACH(V23)   \
	EACH(V24)   \
	EACH(V25)   \
	EACH(V26)   \
	EACH(V27)   \
	EACH(V28)

// LAST is the last round of a state, and the chaining.
#define LAST(state, before) \
	AESD V29.B16, state.B16                 \
	VEOR V30.B16, state.B16, state.B16      \
	VEOR before.B16, state.B16, state.B16

// func decryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
//
// V0 to V7 are the states, V8 to V15 the ciphertext.
TEXT ·decryptBlocks(SB), NOSPLIT, $0-48
	MOVD keys+0(FP), R0
	MOVD rounds+8(FP), R1
	MOVD dst+16(FP), R2
	MOVD src+24(FP), R3
	MOVD blocks+32(FP), R4
	MOVD iv+40(FP), R5
	LOADKEYS
	VLD1 (R5), [V31.B16]
	SUBS $8, R4
	BLT  decryptTail

decrypt8:
	VLD1   (R3), [V0.B16, V1.B16, V2.B16, V3.B16]
	VLD1.P 64(R3), [V8.B16, V9.B16, V10.B16, V11.B16]
	VLD1   (R3), [V4.B16, V5.B16, V6.B16, V7.B16]
	VLD1.P 64(R3), [V12.B16, V13.B16, V14.B16, V15.B16]
	ROUNDS(EACH8, small8)
	LAST(V0, V31)
	LAST(V1, V8)
	LAST(V2, V9)
	LAST(V3, V10)
	LAST(V4, V11)
	LAST(V5, V12)
	LAST(V6, V13)
	LAST(V7, V14)
	VMOV   V15.B16, V31.B16
	VST1.P [V0.B16, V1.B16, V2.B16, V3.B16], 64(R2)
	VST1.P [V4.B16, V5.B16, V6.B16, V7.B16], 64(R2)
	SUBS   $8, R4
	BGE    decrypt8

decryptTail:
	ADDS $8, R4
	BEQ  decryptDone

	// The processor overlaps these blocks by itself.
decrypt1:
	VLD1   (R3), [V0.B16]
	VLD1.P 16(R3), [V8.B16]
	ROUNDS(EACH1, small1)
	LAST(V0, V31)
	VMOV   V8.B16, V31.B16
	VST1.P [V0.B16], 16(R2)
	SUBS   $1, R4
	BNE    decrypt1

decryptDone:
	VST1 [V31.B16], (R5)
	RET
