package ccache

// MIT's default on Windows is a cache server, which FILE stands in for.
const defaultPath = `FILE:%{TEMP}\krb5cc_%{uid}`
