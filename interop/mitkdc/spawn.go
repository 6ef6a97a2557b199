package mitkdc

import "os/exec"

// Spawn starts a server that is killed when this process dies, and returns what
// to call to end it earlier. It is for servers that belong to a realm of a test.
func Spawn(cmd *exec.Cmd) (stop func(), err error) { return start(cmd) }
