//go:build !unix

package pgtest

import (
	"errors"
	"os/exec"
)

// setOwner refuses: the script that runs the server needs a shell.
func setOwner(*exec.Cmd, string) error { return errors.ErrUnsupported }
