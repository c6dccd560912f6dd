//go:build !linux

package postgres

import "syscall"

// limitSilence leaves it to the system when a connection is lost.
func limitSilence(string, string, syscall.RawConn) error { return nil }
