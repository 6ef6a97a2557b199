//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// As in the kernel for SHA-1, all of this is in the old encoding.

// ROUNDS4 is four rounds with the words in w: two make a, b, e and f of what X2 has,
// two more those of X1.
#define ROUNDS4(i, w) \
	MOVOU       (16*i)(R8), X0 \
	PADDD       w, X0          \
	SHA256RNDS2 X0, X1, X2     \
	PSHUFD      $0x0e, X0, X0  \
	SHA256RNDS2 X0, X2, X1

// STEP is ROUNDS4 with the last words that are known in w0; before them come w3, w2
// and w1, of which w1 is replaced next.
#define STEP(i, w0, w1, w3) \
	MOVOU       (16*i)(R8), X0 \
	PADDD       w0, X0         \
	SHA256RNDS2 X0, X1, X2     \
	MOVO        w0, X7         \
	PALIGNR     $4, w3, X7     \
	PADDD       X7, w1         \
	SHA256MSG2  w0, w1         \
	PSHUFD      $0x0e, X0, X0  \
	SHA256RNDS2 X0, X2, X1     \
	SHA256MSG1  w0, w3

// LOADSTATE takes a, b, e and f to X1, from the highest word down, and c, d, g and h
// to X2.
#define LOADSTATE \
	MOVOU   0(AX), X7     \
	PSHUFB  X10, X7       \
	MOVOU   16(AX), X2    \
	PSHUFB  X10, X2       \
	PSHUFD  $0xb1, X7, X7 \
	PSHUFD  $0x1b, X2, X2 \
	MOVO    X7, X1        \
	PALIGNR $8, X2, X1    \
	PBLENDW $0xf0, X7, X2

// INORDER is the inverse: X1 has a to d from the lowest word up, X2 e to h.
#define INORDER \
	PSHUFD  $0x1b, X1, X7 \
	PSHUFD  $0xb1, X2, X2 \
	MOVO    X7, X1        \
	PBLENDW $0xf0, X2, X1 \
	PALIGNR $8, X7, X2

#define STORESTATE \
	INORDER            \
	PSHUFB X10, X1     \
	PSHUFB X10, X2     \
	MOVOU  X1, 0(AX)   \
	MOVOU  X2, 16(AX)

#define LOADBLOCK \
	MOVOU  0(SI), X3  \
	PSHUFB X10, X3    \
	MOVOU  16(SI), X4 \
	PSHUFB X10, X4    \
	MOVOU  32(SI), X5 \
	PSHUFB X10, X5    \
	MOVOU  48(SI), X6 \
	PSHUFB X10, X6

// ROUNDS64 takes the block in X3 to X6 into the state in X1 and X2.
#define ROUNDS64 \
	MOVO       X1, X8       \
	MOVO       X2, X9       \
	ROUNDS4(0, X3)          \
	ROUNDS4(1, X4)          \
	SHA256MSG1 X4, X3       \
	ROUNDS4(2, X5)          \
	SHA256MSG1 X5, X4       \
	STEP(3, X6, X3, X5)     \
	STEP(4, X3, X4, X6)     \
	STEP(5, X4, X5, X3)     \
	STEP(6, X5, X6, X4)     \
	STEP(7, X6, X3, X5)     \
	STEP(8, X3, X4, X6)     \
	STEP(9, X4, X5, X3)     \
	STEP(10, X5, X6, X4)    \
	STEP(11, X6, X3, X5)    \
	STEP(12, X3, X4, X6)    \
	STEP(13, X4, X5, X3)    \
	STEP(14, X5, X6, X4)    \
	ROUNDS4(15, X6)         \
	PADDD      X8, X1       \
	PADDD      X9, X2

// func sha256Blocks(state *digest, p *byte, blocks int)
TEXT ·sha256Blocks(SB), NOSPLIT, $0-24
	MOVQ  state+0(FP), AX
	MOVQ  p+8(FP), SI
	MOVQ  blocks+16(FP), CX
	LEAQ  ·k256(SB), R8
	MOVOU swap4<>(SB), X10
	LOADSTATE

block:
	LOADBLOCK
	ROUNDS64
	ADDQ $64, SI
	DECQ CX
	JNZ  block
	STORESTATE
	RET

// func sha256MAC(mac, inner, outer *digest, p *byte, blocks int)
//
// The digest goes from one hash to the other in registers, as in sha1MAC.
TEXT ·sha256MAC(SB), NOSPLIT, $0-40
	MOVQ  inner+8(FP), AX
	MOVQ  p+24(FP), SI
	MOVQ  blocks+32(FP), CX
	LEAQ  ·k256(SB), R8
	MOVOU swap4<>(SB), X10
	LOADSTATE

innerBlock:
	LOADBLOCK
	ROUNDS64
	ADDQ $64, SI
	DECQ CX
	JNZ  innerBlock

	INORDER
	MOVO   X1, X3
	MOVO   X2, X4
	MOVL   $0x80000000, DX
	MOVL   DX, X5
	PXOR   X6, X6
	MOVL   $(8*(64+32)), DX
	PINSRD $3, DX, X6
	MOVQ   outer+16(FP), AX
	LOADSTATE
	ROUNDS64
	MOVQ   mac+0(FP), AX
	STORESTATE
	RET

// The bytes of each word are turned.
DATA swap4<>+0(SB)/8, $0x0405060700010203
DATA swap4<>+8(SB)/8, $0x0c0d0e0f08090a0b
GLOBL swap4<>(SB), NOPTR|RODATA, $16
