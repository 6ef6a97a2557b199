// Package testenv is a Kerberos realm for tests, examples and development: a
// KDC in the process of the test, in the manner of net/http/httptest.
//
//	k := testenv.NewKDC(nil)
//	defer k.Close()
//	k.AddUser("alice", "correct horse")
//	k.AddService("host/server.example.test")
//
// A [KDC] answers on loopback ports, for programs such as kinit, and in memory:
// it is a krb5.Exchanger, and [KDC.Registry] has a Kerberos mechanism that talks
// to it without sockets, files or environment. [KDC.UserCred] and
// [KDC.ServiceCred] make credentials for it, and [Pair] a whole context. The KDC
// fails on demand: see [KDC.Fail], [KDC.FailNext], [KDC.Drop], [KDC.Skew].
//
// Several realms that trust each other are made by [KDC.Trust]. Who may act for
// users towards which services is set by [KDC.AllowDelegation],
// [KDC.AllowDelegationFrom] and [KDC.ProtocolTransition]; other names of a
// principal by [KDC.Alias].
//
// # An independent implementation
//
// The KDC reads, writes, encrypts and decrypts with gokrb5 wherever that
// works, so that the code under test meets an implementation that shares
// nothing with it, and an error in an encoding cannot cancel itself out.
//
// # Not for production
//
// The database is in memory, passwords are kept as they are, nothing is
// rate-limited or logged, and any client gets a ticket for anyone.
package testenv
