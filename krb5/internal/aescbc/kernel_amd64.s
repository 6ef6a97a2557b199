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

// ALL applies an instruction with a round key to Z0 to Z3, four blocks each.
#define ALL(op, key) \
	op key, Z0, Z0 \
	op key, Z1, Z1 \
	op key, Z2, Z2 \
	op key, Z3, Z3

// func decryptWide(keys *RoundKeys, rounds int, dst, src *byte, blocks int, iv *[BlockSize]byte)
//
// Sixteen blocks are decrypted at a time, of which blocks is a multiple. The round
// keys are in Z16 to Z30, and Z12 is the ciphertext block before the first, four
// times. Z4 to Z7 have the blocks before those of Z0 to Z3.
TEXT ·decryptWide(SB), NOSPLIT, $0-48
	MOVQ keys+0(FP), AX
	MOVQ rounds+8(FP), BX
	MOVQ dst+16(FP), DI
	MOVQ src+24(FP), SI
	MOVQ blocks+32(FP), CX
	MOVQ iv+40(FP), DX
	VBROADCASTI32X4 0(AX), Z16
	VBROADCASTI32X4 16(AX), Z17
	VBROADCASTI32X4 32(AX), Z18
	VBROADCASTI32X4 48(AX), Z19
	VBROADCASTI32X4 64(AX), Z20
	VBROADCASTI32X4 80(AX), Z21
	VBROADCASTI32X4 96(AX), Z22
	VBROADCASTI32X4 112(AX), Z23
	VBROADCASTI32X4 128(AX), Z24
	VBROADCASTI32X4 144(AX), Z25
	VBROADCASTI32X4 160(AX), Z26
	VBROADCASTI32X4 176(AX), Z27
	VBROADCASTI32X4 192(AX), Z28
	VBROADCASTI32X4 208(AX), Z29
	VBROADCASTI32X4 224(AX), Z30
	VBROADCASTI32X4 (DX), Z12

decrypt16:
	VMOVDQU64 0(SI), Z0
	VMOVDQU64 64(SI), Z1
	VMOVDQU64 128(SI), Z2
	VMOVDQU64 192(SI), Z3
	VALIGNQ $6, Z12, Z0, Z4
	VALIGNQ $6, Z0, Z1, Z5
	VALIGNQ $6, Z1, Z2, Z6
	VALIGNQ $6, Z2, Z3, Z7
	VBROADCASTI32X4 240(SI), Z12
	CMPQ    BX, $10
	JEQ     wide128
	ALL(VPXORQ, Z16)
	ALL(VAESDEC, Z17)
	ALL(VAESDEC, Z18)
	ALL(VAESDEC, Z19)
	ALL(VAESDEC, Z20)
	JMP     wideRest

wide128:
	ALL(VPXORQ, Z20)

wideRest:
	ALL(VAESDEC, Z21)
	ALL(VAESDEC, Z22)
	ALL(VAESDEC, Z23)
	ALL(VAESDEC, Z24)
	ALL(VAESDEC, Z25)
	ALL(VAESDEC, Z26)
	ALL(VAESDEC, Z27)
	ALL(VAESDEC, Z28)
	ALL(VAESDEC, Z29)
	ALL(VAESDECLAST, Z30)
	VPXORQ  Z4, Z0, Z0
	VPXORQ  Z5, Z1, Z1
	VPXORQ  Z6, Z2, Z2
	VPXORQ  Z7, Z3, Z3
	VMOVDQU64 Z0, 0(DI)
	VMOVDQU64 Z1, 64(DI)
	VMOVDQU64 Z2, 128(DI)
	VMOVDQU64 Z3, 192(DI)
	ADDQ    $256, SI
	ADDQ    $256, DI
	SUBQ    $16, CX
	JNZ     decrypt16
	VMOVDQU X12, (DX)
	VZEROUPPER
	RET
