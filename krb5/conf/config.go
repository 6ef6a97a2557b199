// Package conf reads Kerberos configuration: krb5.conf, as MIT defines it.
package conf

// Config is a configuration.
type Config struct{}
