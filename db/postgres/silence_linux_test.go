package postgres

import (
	"fmt"
	"net"
	"syscall"
	"testing"

	"bookhook/db/postgres/pgtest"
)

// TestLimitSilence: every connection has the limit.
func TestLimitSilence(t *testing.T) {
	config, err := parse(pgtest.URL(t))
	wantErr(t, "parse", err, nil)
	conn, err := config.DialFunc(t.Context(), "tcp", net.JoinHostPort(config.Host, fmt.Sprint(config.Port)))
	wantErr(t, "dial", err, nil)
	defer conn.Close()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	wantErr(t, "raw", err, nil)
	var limit int
	wantErr(t, "control", raw.Control(func(fd uintptr) {
		limit, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout)
	}), nil)
	wantErr(t, "read the limit", err, nil)
	want(t, "milliseconds", limit, int(lostTime.Milliseconds()))
}
