package postgres

import (
	"strings"
	"syscall"
)

// tcpUserTimeout is TCP_USER_TIMEOUT, which package syscall does not have.
const tcpUserTimeout = 0x12

// limitSilence makes what was sent and is not acknowledged within lostTime the end of a
// connection: it is not probed meanwhile.
func limitSilence(network, _ string, conn syscall.RawConn) (err error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil
	}
	failed := conn.Control(func(fd uintptr) {
		err = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(lostTime.Milliseconds()))
	})
	if failed != nil {
		return failed
	}
	return err
}
