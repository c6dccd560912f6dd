//go:build unix

package main

import (
	"syscall"

	"bookhook/accept"
)

// fileLimit returns how many files the process may open. Go has raised the limit as
// far as the system allows when the process started.
func fileLimit() int {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return 256 // the least that systems allow by default
	}
	return int(min(limit.Cur, accept.MaxFiles)) //nolint:gosec // bounded
}
