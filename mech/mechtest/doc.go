// Package mechtest checks that a mechanism keeps the contract of package mech,
// and has a small mechanism that does.
//
// An engine's own test calls [Run] with a [Harness]; whatever the engine offers
// beyond the four interfaces it must have is tested if it is there:
//
//	func TestConformance(t *testing.T) {
//		mechtest.Run(t, mechtest.Harness{Initiator: m, Acceptor: m, …})
//	}
//
// [Toy] is a complete mechanism without a network, for tests of what is built on
// mechanisms. It must not be used for anything else.
package mechtest
