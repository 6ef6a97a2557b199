//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// AES-NI works on the 128-bit registers in their old encoding: no AVX state is
// touched, and nothing is to be cleaned up behind it.
//
// Round keys lie right-aligned in 15 places of 16 bytes: AES-256 starts at the
// first, AES-128 at the fifth, and from the sixth on both do the same.

// func subWord(w uint32) uint32
//
// AESENCLAST without a key is ShiftRows and SubBytes. ShiftRows leaves four
// equal columns as they are.
TEXT ·subWord(SB), NOSPLIT, $0-12
	MOVL       w+0(FP), X0
	PSHUFD     $0, X0, X0
	PXOR       X1, X1
	AESENCLAST X1, X0
	MOVL       X0, ret+8(FP)
	RET

// func invMixColumns(key *[4]uint32)
TEXT ·invMixColumns(SB), NOSPLIT, $0-8
	MOVQ   key+0(FP), AX
	MOVOU  (AX), X0
	AESIMC X0, X0
	MOVOU  X0, (AX)
	RET

// func encryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
//
// Each block waits for the one before it, so what counts is the latency of a
// round. The keys stay in X1 to X14, but for the last one, which takes turns
// with the plaintext in X15; neither load is waited for. X0 is the state, and
// the ciphertext block before it.
TEXT ·encryptBlocks(SB), NOSPLIT, $0-48
	MOVQ  keys+0(FP), AX
	MOVQ  rounds+8(FP), BX
	MOVQ  dst+16(FP), DI
	MOVQ  src+24(FP), SI
	MOVQ  blocks+32(FP), CX
	MOVQ  iv+40(FP), DX
	MOVOU 0(AX), X1
	MOVOU 16(AX), X2
	MOVOU 32(AX), X3
	MOVOU 48(AX), X4
	MOVOU 64(AX), X5
	MOVOU 80(AX), X6
	MOVOU 96(AX), X7
	MOVOU 112(AX), X8
	MOVOU 128(AX), X9
	MOVOU 144(AX), X10
	MOVOU 160(AX), X11
	MOVOU 176(AX), X12
	MOVOU 192(AX), X13
	MOVOU 208(AX), X14
	MOVOU (DX), X0

encryptBlock:
	MOVOU (SI), X15
	CMPQ  BX, $10
	JEQ   encrypt128
	PXOR  X1, X15
	PXOR  X15, X0
	AESENC X2, X0
	AESENC X3, X0
	AESENC X4, X0
	AESENC X5, X0
	JMP   encryptRest

encrypt128:
	PXOR X5, X15
	PXOR X15, X0

encryptRest:
	MOVOU  224(AX), X15
	AESENC X6, X0
	AESENC X7, X0
	AESENC X8, X0
	AESENC X9, X0
	AESENC X10, X0
	AESENC X11, X0
	AESENC X12, X0
	AESENC X13, X0
	AESENC X14, X0
	AESENCLAST X15, X0
	MOVOU  X0, (DI)
	ADDQ   $16, SI
	ADDQ   $16, DI
	DECQ   CX
	JNZ    encryptBlock
	MOVOU  X0, (DX)
	RET

// EACH8 applies an instruction with the key at an offset to X0 to X7, EACH1 to
// X0 alone. Their use of X8 is the load that eight blocks share.
#define EACH8(op, key) \
	MOVOU key(AX), X8 \
	op    X8, X0      \
	op    X8, X1      \
	op    X8, X2      \
	op    X8, X3      \
	op    X8, X4      \
	op    X8, X5      \
	op    X8, X6      \
	op    X8, X7

#define EACH1(op, key) \
	MOVOU key(AX), X8 \
	op    X8, X0

// ROUNDS is the inverse cipher for one of them.
#define ROUNDS(EACH, small, rest) \
	CMPQ BX, $10          \
	JEQ  small            \
	EACH(PXOR, 0)         \
	EACH(AESDEC, 16)      \
	EACH(AESDEC, 32)      \
	EACH(AESDEC, 48)      \
	EACH(AESDEC, 64)      \
	JMP  rest             \
small:                    \
	EACH(PXOR, 64)        \
rest:                     \
	EACH(AESDEC, 80)      \
	EACH(AESDEC, 96)      \
	EACH(AESDEC, 112)     \
	EACH(AESDEC, 128)     \
	EACH(AESDEC, 144)     \
	EACH(AESDEC, 160)     \
	EACH(AESDEC, 176)     \
	EACH(AESDEC, 192)     \
	EACH(AESDEC, 208)     \
	EACH(AESDECLAST, 224)

// CHAIN xors the ciphertext block at an offset to the state behind it.
#define CHAIN(from, state) \
	MOVOU from(SI), X8 \
	PXOR  X8, state

// func decryptBlocks(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
//
// X0 to X7 are the states, X8 the round key, X15 the ciphertext block before
// the first. The ciphertext is read again after the rounds and before the
// first store, so that it may be overwritten.
TEXT ·decryptBlocks(SB), NOSPLIT, $0-48
	MOVQ  keys+0(FP), AX
	MOVQ  rounds+8(FP), BX
	MOVQ  dst+16(FP), DI
	MOVQ  src+24(FP), SI
	MOVQ  blocks+32(FP), CX
	MOVQ  iv+40(FP), DX
	MOVOU (DX), X15
	SUBQ  $8, CX
	JLT   decryptTail

decrypt8:
	MOVOU 0(SI), X0
	MOVOU 16(SI), X1
	MOVOU 32(SI), X2
	MOVOU 48(SI), X3
	MOVOU 64(SI), X4
	MOVOU 80(SI), X5
	MOVOU 96(SI), X6
	MOVOU 112(SI), X7
	ROUNDS(EACH8, small8, rest8)
	PXOR  X15, X0
	CHAIN(0, X1)
	CHAIN(16, X2)
	CHAIN(32, X3)
	CHAIN(48, X4)
	CHAIN(64, X5)
	CHAIN(80, X6)
	CHAIN(96, X7)
	MOVOU 112(SI), X15
	MOVOU X0, 0(DI)
	MOVOU X1, 16(DI)
	MOVOU X2, 32(DI)
	MOVOU X3, 48(DI)
	MOVOU X4, 64(DI)
	MOVOU X5, 80(DI)
	MOVOU X6, 96(DI)
	MOVOU X7, 112(DI)
	ADDQ  $128, SI
	ADDQ  $128, DI
	SUBQ  $8, CX
	JGE   decrypt8

decryptTail:
	ADDQ $8, CX
	JZ   decryptDone

	// The processor overlaps these blocks by itself.
decrypt1:
	MOVOU (SI), X0
	MOVO  X0, X1
	ROUNDS(EACH1, small1, rest1)
	PXOR  X15, X0
	MOVO  X1, X15
	MOVOU X0, (DI)
	ADDQ  $16, SI
	ADDQ  $16, DI
	DECQ  CX
	JNZ   decrypt1

decryptDone:
	MOVOU X15, (DX)
	RET
