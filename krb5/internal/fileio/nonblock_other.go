//go:build !unix

package fileio

// NonBlock is nothing here: there are no pipes among the files.
const NonBlock = 0
