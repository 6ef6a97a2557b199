//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// a to h are in AX to DX and R8 to R11, and change places each round; SI and DI take
// turns as x and y, and R12, R13 and BP are scratch. R15 is in the constants, R14
// counts. What is scheduled stays in X0 to X7, two words each. On the stack are the
// last sixteen words, with the constants added, and behind them the state.

// ROUND is one round. x comes with b^c and goes with a^b into the next one as y.
// The majority is (a & (b^c)) + (b & c). The new a is made of the new e, less d, so
// that each of the two waits for four instructions in a row, not more. Their order was
// found by measuring.
#define ROUND(a, b, c, d, e, f, g, h, w, x, y) \
	ADDQ  w, h        \
	ANDNQ g, e, R12   \
	MOVQ  b, R13      \
	ANDQ  c, R13      \
	SUBQ  d, R13      \
	ANDQ  a, x        \
	RORXQ $14, e, BP  \
	ADDQ  h, d        \
	ADDQ  R12, d      \
	MOVQ  e, R12      \
	ANDQ  f, R12      \
	ADDQ  R12, d      \
	ADDQ  R13, x      \
	RORXQ $18, e, R12 \
	RORXQ $41, e, R13 \
	XORQ  R12, BP     \
	XORQ  R13, BP     \
	ADDQ  BP, d       \
	MOVQ  a, y        \
	XORQ  b, y        \
	LEAQ  (d)(x*1), h \
	RORXQ $34, a, R12 \
	RORXQ $28, a, R13 \
	RORXQ $39, a, BP  \
	XORQ  R12, R13    \
	XORQ  BP, R13     \
	ADDQ  R13, h

// SIGMA is a sum of two rotations and a shift.
#define SIGMA(r1, r2, shift, w, to) \
	VPRORQ     $r1, w, X9         \
	VPRORQ     $r2, w, X10        \
	VPSRLQ     $shift, w, to      \
	VPTERNLOGQ $0x96, X10, X9, to

// SCHEDULE replaces two words by those sixteen rounds on. w0 is what it replaces,
// w1, w4, w5 and w7 are those behind.
#define SCHEDULE(w0, w1, w4, w5, w7, at) \
	VPALIGNR $8, w0, w1, X8  \
	VPALIGNR $8, w4, w5, X9  \
	VPADDQ   X9, w0, w0      \
	SIGMA(1, 8, 7, X8, X8)   \
	VPADDQ   X8, w0, w0      \
	SIGMA(19, 61, 6, w7, X8) \
	VPADDQ   X8, w0, w0      \
	VPADDQ   at(R15), w0, X9 \
	VMOVDQU  X9, at(SP)

// LOAD takes two words of a message.
#define LOAD(at, p, w) \
	VMOVDQU at(p), w       \
	VPSHUFB X11, w, w      \
	VPADDQ  at(R15), w, X9 \
	VMOVDQU X9, at(SP)

// NEXT takes two words of the next block in the place of two that are done with.
#define NEXT(w0, w1, w4, w5, w7, at) \
	MOVQ p+8(FP), R12 \
	LOAD(at, R12, w0)

// ROUNDS16 is sixteen rounds. Behind each pair S has the words that the pair used,
// and one of A0 to A3 goes on with a block of AES.
#define ROUNDS16(S, A0, A1, A2, A3) \
	ROUND(AX, BX, CX, DX, R8, R9, R10, R11, 0(SP), SI, DI)   \
	ROUND(R11, AX, BX, CX, DX, R8, R9, R10, 8(SP), DI, SI)   \
	S(X0, X1, X4, X5, X7, 0)                                 \
	A0                                                       \
	ROUND(R10, R11, AX, BX, CX, DX, R8, R9, 16(SP), SI, DI)  \
	ROUND(R9, R10, R11, AX, BX, CX, DX, R8, 24(SP), DI, SI)  \
	S(X1, X2, X5, X6, X0, 16)                                \
	A1                                                       \
	ROUND(R8, R9, R10, R11, AX, BX, CX, DX, 32(SP), SI, DI)  \
	ROUND(DX, R8, R9, R10, R11, AX, BX, CX, 40(SP), DI, SI)  \
	S(X2, X3, X6, X7, X1, 32)                                \
	A2                                                       \
	ROUND(CX, DX, R8, R9, R10, R11, AX, BX, 48(SP), SI, DI)  \
	ROUND(BX, CX, DX, R8, R9, R10, R11, AX, 56(SP), DI, SI)  \
	S(X3, X4, X7, X0, X2, 48)                                \
	A3                                                       \
	ROUND(AX, BX, CX, DX, R8, R9, R10, R11, 64(SP), SI, DI)  \
	ROUND(R11, AX, BX, CX, DX, R8, R9, R10, 72(SP), DI, SI)  \
	S(X4, X5, X0, X1, X3, 64)                                \
	A0                                                       \
	ROUND(R10, R11, AX, BX, CX, DX, R8, R9, 80(SP), SI, DI)  \
	ROUND(R9, R10, R11, AX, BX, CX, DX, R8, 88(SP), DI, SI)  \
	S(X5, X6, X1, X2, X4, 80)                                \
	A1                                                       \
	ROUND(R8, R9, R10, R11, AX, BX, CX, DX, 96(SP), SI, DI)  \
	ROUND(DX, R8, R9, R10, R11, AX, BX, CX, 104(SP), DI, SI) \
	S(X6, X7, X2, X3, X5, 96)                                \
	A2                                                       \
	ROUND(CX, DX, R8, R9, R10, R11, AX, BX, 112(SP), SI, DI) \
	ROUND(BX, CX, DX, R8, R9, R10, R11, AX, 120(SP), DI, SI) \
	S(X7, X0, X3, X4, X6, 112)                               \
	A3

// NONE is no AES.
#define NONE

// AES0 to AES3 are AES-256 of one block. X12 is the state, and the ciphertext block
// before it; the round keys are in X16 to X30.
#define AES0 \
	MOVQ       src+40(FP), R12      \
	VMOVDQU    (R12), X13           \
	ADDQ       $16, R12             \
	MOVQ       R12, src+40(FP)      \
	VPTERNLOGQ $0x96, X16, X13, X12 \
	VAESENC    X17, X12, X12        \
	VAESENC    X18, X12, X12        \
	VAESENC    X19, X12, X12

#define AES1 \
	VAESENC X20, X12, X12 \
	VAESENC X21, X12, X12 \
	VAESENC X22, X12, X12 \
	VAESENC X23, X12, X12

#define AES2 \
	VAESENC X24, X12, X12 \
	VAESENC X25, X12, X12 \
	VAESENC X26, X12, X12 \
	VAESENC X27, X12, X12

#define AES3 \
	MOVQ        dst+32(FP), R12 \
	VAESENC     X28, X12, X12   \
	VAESENC     X29, X12, X12   \
	VAESENCLAST X30, X12, X12   \
	VMOVDQU     X12, (R12)      \
	ADDQ        $16, R12        \
	MOVQ        R12, dst+32(FP)

// WORD brings a word of the state to a register, and to the stack behind the
// message's words.
#define WORD(at, r) \
	MOVQ   at(R12), r      \
	BSWAPQ r               \
	MOVQ   r, (128+at)(SP)

// SUM adds the working variable to the word of the state.
#define SUM(at, r) \
	ADDQ (128+at)(SP), r \
	MOVQ r, (128+at)(SP)

// BACK is the inverse of WORD.
#define BACK(at, r) \
	BSWAPQ r          \
	MOVQ   r, at(R12)

// BEGIN and END are what is around the blocks, BLOCK is one of them. While its last
// rounds go on, the next one's words come in; behind the last block that is the same
// one again.
#define BEGIN \
	VMOVDQU swap8<>(SB), X11 \
	LEAQ    ·k512(SB), R15   \
	MOVQ    p+8(FP), R13     \
	MOVQ    state+0(FP), R12 \
	WORD(0, AX)              \
	WORD(8, BX)              \
	WORD(16, CX)             \
	WORD(24, DX)             \
	WORD(32, R8)             \
	WORD(40, R9)             \
	WORD(48, R10)            \
	WORD(56, R11)            \
	LOAD(0, R13, X0)         \
	LOAD(16, R13, X1)        \
	LOAD(32, R13, X2)        \
	LOAD(48, R13, X3)        \
	LOAD(64, R13, X4)        \
	LOAD(80, R13, X5)        \
	LOAD(96, R13, X6)        \
	LOAD(112, R13, X7)

#define BLOCK(rounds, A0, A1, A2, A3) \
	MOVQ    BX, SI                         \
	XORQ    CX, SI                         \
	MOVQ    $4, R14                        \
rounds:                                 \
	ADDQ    $128, R15                      \
	ROUNDS16(SCHEDULE, A0, A1, A2, A3)     \
	DECQ    R14                            \
	JNZ     rounds                         \
	SUBQ    $512, R15                      \
	MOVQ    p+8(FP), R12                   \
	LEAQ    128(R12), R13                  \
	CMPQ    blocks+16(FP), $1              \
	CMOVQNE R13, R12                       \
	MOVQ    R12, p+8(FP)                   \
	ROUNDS16(NEXT, NONE, NONE, NONE, NONE) \
	SUM(0, AX)                             \
	SUM(8, BX)                             \
	SUM(16, CX)                            \
	SUM(24, DX)                            \
	SUM(32, R8)                            \
	SUM(40, R9)                            \
	SUM(48, R10)                           \
	SUM(56, R11)

#define END \
	MOVQ state+0(FP), R12 \
	BACK(0, AX)           \
	BACK(8, BX)           \
	BACK(16, CX)          \
	BACK(24, DX)          \
	BACK(32, R8)          \
	BACK(40, R9)          \
	BACK(48, R10)         \
	BACK(56, R11)         \
	VZEROUPPER

// func sha512Blocks(state *digest, p *byte, blocks int)
TEXT ·sha512Blocks(SB), NOSPLIT, $192-24
	BEGIN

block:
	BLOCK(rounds, NONE, NONE, NONE, NONE)
	DECQ blocks+16(FP)
	JNZ  block
	END
	RET

// func encryptSHA512Blocks(state *digest, p *byte, blocks int, keys *aescbc.RoundKeys, dst, src *byte, iv *[aescbc.BlockSize]byte)
TEXT ·encryptSHA512Blocks(SB), NOSPLIT, $192-56
	MOVQ      keys+24(FP), R12
	VMOVDQU64 0(R12), X16
	VMOVDQU64 16(R12), X17
	VMOVDQU64 32(R12), X18
	VMOVDQU64 48(R12), X19
	VMOVDQU64 64(R12), X20
	VMOVDQU64 80(R12), X21
	VMOVDQU64 96(R12), X22
	VMOVDQU64 112(R12), X23
	VMOVDQU64 128(R12), X24
	VMOVDQU64 144(R12), X25
	VMOVDQU64 160(R12), X26
	VMOVDQU64 176(R12), X27
	VMOVDQU64 192(R12), X28
	VMOVDQU64 208(R12), X29
	VMOVDQU64 224(R12), X30
	MOVQ      iv+48(FP), R12
	VMOVDQU   (R12), X12
	BEGIN

both:
	BLOCK(roundsAES, AES0, AES1, AES2, AES3)
	DECQ    blocks+16(FP)
	JNZ     both
	MOVQ    iv+48(FP), R12
	VMOVDQU X12, (R12)
	END
	RET

// The bytes of two words are turned, each for itself.
DATA swap8<>+0(SB)/8, $0x0001020304050607
DATA swap8<>+8(SB)/8, $0x08090a0b0c0d0e0f
GLOBL swap8<>(SB), NOPTR|RODATA, $16
