module github.com/gss-go/gssapi/bench

go 1.25.0

require (
	github.com/gss-go/gssapi v0.0.0
	github.com/gss-go/gssapi/interop v0.0.0
	golang.org/x/sys v0.47.0
)

require golang.org/x/crypto v0.54.0 // indirect

replace (
	github.com/gss-go/gssapi => ../
	github.com/gss-go/gssapi/interop => ../interop
)
