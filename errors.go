package gssapi

import gsserr "github.com/gss-go/gssapi/errors"

type (
	// Error is what functions of this module return: a major status, the
	// mechanism's own status, a token for the peer and the cause.
	Error = gsserr.Error
	// Major is a major status (RFC 2744 §3.9.1) and an error itself, for
	// [errors.Is].
	Major = gsserr.Major
)

// Calling errors: a parameter could not be used at all.
const (
	ErrInaccessibleRead  = gsserr.ErrInaccessibleRead
	ErrInaccessibleWrite = gsserr.ErrInaccessibleWrite
	ErrBadStructure      = gsserr.ErrBadStructure
)

// Routine errors (RFC 2743 §1.2.1.1).
const (
	ErrBadMech             = gsserr.ErrBadMech
	ErrBadName             = gsserr.ErrBadName
	ErrBadNameType         = gsserr.ErrBadNameType
	ErrBadBindings         = gsserr.ErrBadBindings
	ErrBadStatus           = gsserr.ErrBadStatus
	ErrBadMIC              = gsserr.ErrBadMIC
	ErrNoCred              = gsserr.ErrNoCred
	ErrNoContext           = gsserr.ErrNoContext
	ErrDefectiveToken      = gsserr.ErrDefectiveToken
	ErrDefectiveCredential = gsserr.ErrDefectiveCredential
	ErrCredentialsExpired  = gsserr.ErrCredentialsExpired
	ErrContextExpired      = gsserr.ErrContextExpired
	ErrFailure             = gsserr.ErrFailure
	ErrBadQOP              = gsserr.ErrBadQOP
	ErrUnauthorized        = gsserr.ErrUnauthorized
	ErrUnavailable         = gsserr.ErrUnavailable
	ErrDuplicateElement    = gsserr.ErrDuplicateElement
	ErrNameNotMN           = gsserr.ErrNameNotMN
	ErrBadMechAttr         = gsserr.ErrBadMechAttr
)

// Supplementary information (RFC 2743 §1.2.1.2), which accompanies a message;
// see [Informational]. ErrOutOfSequence matches ErrUnseqToken and ErrGapToken,
// ErrSupplementary all of them.
const (
	ErrDuplicateToken = gsserr.ErrDuplicateToken
	ErrOldToken       = gsserr.ErrOldToken
	ErrUnseqToken     = gsserr.ErrUnseqToken
	ErrGapToken       = gsserr.ErrGapToken
	ErrOutOfSequence  = gsserr.ErrOutOfSequence
	ErrSupplementary  = gsserr.ErrSupplementary
)

// Informational reports whether err only says something about a message that
// came with it and is authentic: it was seen before, or is out of sequence.
func Informational(err error) bool { return gsserr.Informational(err) }

// Statuses returns the sentences of gss_display_status for a major status.
func Statuses(m Major) []string { return gsserr.Statuses(m) }
