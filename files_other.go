//go:build !unix

package main

import "bookhook/accept"

// fileLimit returns how many files the process may open, of which this system has
// no limit to ask for.
func fileLimit() int { return accept.MaxFiles }
