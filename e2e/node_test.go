package e2e

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// node runs a script of testdata, which may import the packages that package.json
// pins, and returns what it printed. The test fails if the script does.
func node(t *testing.T, script string, args ...string) string {
	t.Helper()
	return run(t, "node", append([]string{filepath.Join("testdata", script)}, args...)...)
}

// run runs a program and returns what it wrote to standard output. The test fails,
// with all that it wrote, if the program does.
func run(t *testing.T, program string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		var stderr []byte
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			stderr = exit.Stderr
		}
		t.Fatalf("%s %v: %v\n%s%s", program, args, err, out, stderr)
	}
	return string(out)
}
