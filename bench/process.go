package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration // of user and system
	resident int64         // bytes of memory now
	peak     int64         // the most it ever had
}

// clockTick is the unit of processor time in /proc; it is 1/100 s on every
// Linux that Go runs on.
const clockTick = 10 * time.Millisecond

var errNoProc = errors.New("this is not in /proc")

// readUsage reads /proc, which only Linux has.
func readUsage(pid int) (usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return usage{}, err
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return usage{}, err
	}
	return parseUsage(stat, status)
}

func parseUsage(stat, status []byte) (u usage, err error) {
	// The second field is the name in brackets, which may have anything in it.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) < 13 {
		return u, errNoProc
	}
	for _, ticks := range fields[11:13] {
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * clockTick
	}
	if u.resident, err = parseKiB(status, "VmRSS:"); err != nil {
		return u, err
	}
	u.peak, err = parseKiB(status, "VmHWM:")
	return u, err
}

func parseKiB(status []byte, name string) (int64, error) {
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
			return n << 10, err
		}
	}
	return 0, errNoProc
}
