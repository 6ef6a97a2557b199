package krb5

import (
	"log/slog"
	"time"

	"github.com/gss-go/gssapi/krb5/internal/etype"
	"github.com/gss-go/gssapi/krb5/internal/kdcnet"
	"github.com/gss-go/gssapi/krb5/internal/krberr"
)

// Code is a Kerberos error code.
type Code = krberr.Code

// Enctype is an encryption type.
type Enctype = etype.ID

type (
	// Request is one message to a realm's servers.
	Request = kdcnet.Request
	// Exchanger carries requests to KDCs.
	Exchanger = kdcnet.Exchanger
	// Service is what a request is for.
	Service = kdcnet.Service
)

// Config configures a Mechanism.
type Config struct {
	ConfigText, ConfigPath       string
	CCache, Keytab, ClientKeytab string
	Getenv                       func(string) string
	KDC                          Exchanger
	Time                         func() time.Time
	ClockSkew                    time.Duration
	Enctypes                     []Enctype
	Logger                       *slog.Logger
}
