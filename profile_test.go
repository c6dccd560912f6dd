package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"testing"
	"time"

	"bookhook/bench"
)

// profiles is a folder for profiles of the processor time; see TestProfile.
const profiles = "BOOKHOOK_TEST_PROFILES"

// profiled is main with a profile.
func profiled() int {
	file, err := os.Create(filepath.Join(os.Getenv(profiles), fmt.Sprintf("%d.pprof", os.Getpid())))
	if err == nil {
		err = pprof.StartCPUProfile(file)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	code := run(untilSignal(), os.Args[1:], os.Getenv, streams{os.Stdin, os.Stdout, os.Stderr})
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		return 1
	}
	return code
}

// TestProfile writes profiles of what "bookhook bench" measures, for "make pgo".
func TestProfile(t *testing.T) {
	if os.Getenv(profiles) == "" {
		t.Skip("run it with: make pgo")
	}
	t.Setenv(asMain, "1")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	_, err = bench.Run(t.Context(), bench.Options{
		Command: func(args ...string) *exec.Cmd { return exec.Command(self, args...) },
		Time:    5 * time.Second, Connections: 128, Progress: os.Stdout,
	})
	if err != nil {
		t.Error(err)
	}
}
