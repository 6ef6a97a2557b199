//go:build !windows

package ccache

const defaultPath = "FILE:/tmp/krb5cc_%{uid}"
