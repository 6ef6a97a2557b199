//go:build gc && !purego && !boringcrypto

#include "textflag.h"

// VAES is AES on the wide registers: their upper halves are cleared at the end, since
// what follows may be in the old encoding. Round keys lie as in the other kernel.

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
	MOVQ            keys+0(FP), AX
	MOVQ            rounds+8(FP), BX
	MOVQ            dst+16(FP), DI
	MOVQ            src+24(FP), SI
	MOVQ            blocks+32(FP), CX
	MOVQ            iv+40(FP), DX
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
	VMOVDQU64       0(SI), Z0
	VMOVDQU64       64(SI), Z1
	VMOVDQU64       128(SI), Z2
	VMOVDQU64       192(SI), Z3
	VALIGNQ         $6, Z12, Z0, Z4
	VALIGNQ         $6, Z0, Z1, Z5
	VALIGNQ         $6, Z1, Z2, Z6
	VALIGNQ         $6, Z2, Z3, Z7
	VBROADCASTI32X4 240(SI), Z12
	CMPQ            BX, $10
	JEQ             wide128
	ALL(VPXORQ, Z16)
	ALL(VAESDEC, Z17)
	ALL(VAESDEC, Z18)
	ALL(VAESDEC, Z19)
	ALL(VAESDEC, Z20)
	JMP             wideRest

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
	VPXORQ          Z4, Z0, Z0
	VPXORQ          Z5, Z1, Z1
	VPXORQ          Z6, Z2, Z2
	VPXORQ          Z7, Z3, Z3
	VMOVDQU64       Z0, 0(DI)
	VMOVDQU64       Z1, 64(DI)
	VMOVDQU64       Z2, 128(DI)
	VMOVDQU64       Z3, 192(DI)
	ADDQ            $256, SI
	ADDQ            $256, DI
	SUBQ            $16, CX
	JNZ             decrypt16
	VMOVDQU         X12, (DX)
	VZEROUPPER
	RET
