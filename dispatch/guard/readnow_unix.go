//go:build unix

package guard

import (
	"errors"
	"io"
	"syscall"
)

// readNow reads what has arrived on a connection, without waiting; errNothing if
// nothing has.
func readNow(raw syscall.RawConn, p []byte) (n int, err error) {
	if raw == nil {
		return 0, errors.ErrUnsupported
	}
	failed := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), p)
		return true
	})
	switch {
	case failed != nil:
		return 0, failed
	case errors.Is(err, syscall.EAGAIN), errors.Is(err, syscall.EINTR):
		return 0, errNothing
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}
