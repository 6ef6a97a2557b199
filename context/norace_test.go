//go:build !race

package secctx_test

const raceEnabled = false
