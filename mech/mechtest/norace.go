//go:build !race

package mechtest

// raceEnabled says that allocations cannot be counted.
const raceEnabled = false
