//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// The instructions for SHA work on the 128-bit registers in their old encoding,
// as those for AES do: no AVX state is touched.

// ROUNDS4 is four rounds with the function and the constant f. X0 is a to d,
// and x, once w is added, is e; y is what the next four rounds make their e of.
#define ROUNDS4(f, w, x, y) \
	SHA1NEXTE w, x        \
	MOVO      X0, y       \
	SHA1RNDS4 $f, x, X0

// STEP is ROUNDS4 with the last words that are known in w0; before them come w3,
// w2 and w1, of which w1 is replaced next. Each group of words is touched in three
// steps on end: what is needed after them is finished just in time.
#define STEP(f, w0, w1, w2, w3, x, y) \
	ROUNDS4(f, w0, x, y)  \
	SHA1MSG2 w0, w1       \
	PXOR     w0, w2       \
	SHA1MSG1 w0, w3

// LOADSTATE takes a to d to X0 and e to the highest word of X1.
#define LOADSTATE \
	MOVOU  (AX), X0   \
	PSHUFB X10, X0    \
	MOVL   16(AX), DX \
	BSWAPL DX         \
	PXOR   X1, X1     \
	PINSRD $3, DX, X1

#define STORESTATE \
	PSHUFB X10, X0    \
	MOVOU  X0, (AX)   \
	PEXTRD $3, X1, DX \
	BSWAPL DX         \
	MOVL   DX, 16(AX)

#define LOADBLOCK \
	MOVOU  0(SI), X3  \
	PSHUFB X10, X3    \
	MOVOU  16(SI), X4 \
	PSHUFB X10, X4    \
	MOVOU  32(SI), X5 \
	PSHUFB X10, X5    \
	MOVOU  48(SI), X6 \
	PSHUFB X10, X6

// ROUNDS80 takes the block in X3 to X6 into the state in X0 and X1. The first e is
// not a rotated a.
#define ROUNDS80 \
	MOVO      X0, X8     \
	MOVO      X1, X9     \
	PADDD     X3, X1     \
	MOVO      X0, X2     \
	SHA1RNDS4 $0, X1, X0 \
	ROUNDS4(0, X4, X2, X1)       \
	SHA1MSG1  X4, X3     \
	ROUNDS4(0, X5, X1, X2)       \
	PXOR      X5, X3     \
	SHA1MSG1  X5, X4     \
	STEP(0, X6, X3, X4, X5, X2, X1) \
	STEP(0, X3, X4, X5, X6, X1, X2) \
	STEP(1, X4, X5, X6, X3, X2, X1) \
	STEP(1, X5, X6, X3, X4, X1, X2) \
	STEP(1, X6, X3, X4, X5, X2, X1) \
	STEP(1, X3, X4, X5, X6, X1, X2) \
	STEP(1, X4, X5, X6, X3, X2, X1) \
	STEP(2, X5, X6, X3, X4, X1, X2) \
	STEP(2, X6, X3, X4, X5, X2, X1) \
	STEP(2, X3, X4, X5, X6, X1, X2) \
	STEP(2, X4, X5, X6, X3, X2, X1) \
	STEP(2, X5, X6, X3, X4, X1, X2) \
	STEP(3, X6, X3, X4, X5, X2, X1) \
	STEP(3, X3, X4, X5, X6, X1, X2) \
	STEP(3, X4, X5, X6, X3, X2, X1) \
	STEP(3, X5, X6, X3, X4, X1, X2) \
	ROUNDS4(3, X6, X2, X1)       \
	SHA1NEXTE X9, X1     \
	PADDD     X8, X0

// func sha1Blocks(state *digest, p *byte, blocks int)
TEXT ·sha1Blocks(SB), NOSPLIT, $0-24
	MOVQ  state+0(FP), AX
	MOVQ  p+8(FP), SI
	MOVQ  blocks+16(FP), CX
	MOVOU swap16<>(SB), X10
	LOADSTATE

block:
	LOADBLOCK
	ROUNDS80
	ADDQ $64, SI
	DECQ CX
	JNZ  block
	STORESTATE
	RET

// func sha1MAC(mac, inner, outer *digest, p *byte, blocks int)
//
// Both hashes are computed on end, and the digest of the first goes to the second in
// registers: behind it come the bit 1 and, in the last word, the length of a block and
// a digest.
TEXT ·sha1MAC(SB), NOSPLIT, $0-40
	MOVQ  inner+8(FP), AX
	MOVQ  p+24(FP), SI
	MOVQ  blocks+32(FP), CX
	MOVOU swap16<>(SB), X10
	LOADSTATE

innerBlock:
	LOADBLOCK
	ROUNDS80
	ADDQ $64, SI
	DECQ CX
	JNZ  innerBlock

	MOVO   X0, X3
	MOVO   X1, X4
	MOVL   $0x80000000, DX
	PINSRD $2, DX, X4
	PXOR   X5, X5
	MOVL   $(8*(64+20)), DX
	MOVL   DX, X6
	MOVQ   outer+16(FP), AX
	LOADSTATE
	ROUNDS80
	MOVQ   mac+0(FP), AX
	STORESTATE
	RET

// func leaf7() uint32
TEXT ·leaf7(SB), NOSPLIT, $0-4
	MOVL $0, ret+0(FP)
	MOVL $0, AX
	CPUID
	CMPL AX, $7
	JLT  none
	MOVL $7, AX
	MOVL $0, CX
	CPUID
	MOVL BX, ret+0(FP)

none:
	RET

// The words go from the highest to the lowest: all sixteen bytes are turned.
DATA swap16<>+0(SB)/8, $0x08090a0b0c0d0e0f
DATA swap16<>+8(SB)/8, $0x0001020304050607
GLOBL swap16<>(SB), NOPTR|RODATA, $16
