//go:build unix

package main

import "syscall"

// freeSpace returns how many bytes can still be written to the folder.
func freeSpace(folder string) (uint64, error) {
	var fs syscall.Statfs_t
	err := syscall.Statfs(folder, &fs)
	return fs.Bavail * uint64(fs.Bsize), err //nolint:gosec,unconvert // the types differ between systems
}
