package bench

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// usage is what a process has used so far.
type usage struct {
	cpu      time.Duration // of user and system
	resident int64         // bytes of memory now
	peak     int64         // the most it ever had
	parent   int           // its id
	ended    time.Duration // processor time of its children that have ended
}

// add adds what another process has used.
func (u *usage) add(other usage) {
	u.cpu, u.resident, u.peak = u.cpu+other.cpu, u.resident+other.resident, u.peak+other.peak
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
	if len(fields) < 15 {
		return u, errNoProc
	}
	if u.cpu, err = parseTicks(fields[11:13]); err != nil {
		return u, err
	}
	if u.ended, err = parseTicks(fields[13:15]); err != nil {
		return u, err
	}
	if u.parent, err = strconv.Atoi(fields[1]); err != nil {
		return u, err
	}
	if u.resident, err = parseKiB(status, "VmRSS:"); err != nil {
		return u, err
	}
	u.peak, err = parseKiB(status, "VmHWM:")
	return u, err
}

func parseTicks(fields []string) (total time.Duration, err error) {
	for _, ticks := range fields {
		n, err := strconv.ParseInt(ticks, 10, 64)
		if err != nil {
			return 0, err
		}
		total += time.Duration(n) * clockTick
	}
	return total, nil
}

// readFamily returns what a process and its children have used, those that have
// ended too. Memory that processes share counts once.
func readFamily(pid int) (usage, error) {
	parent, err := readUsage(pid)
	if err != nil {
		return usage{}, err
	}
	all := usage{cpu: parent.cpu + parent.ended}
	if all.resident, err = readProportional(pid); err != nil {
		return usage{}, err
	}
	processes, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return usage{}, err
	}
	for _, process := range processes {
		id, err := strconv.Atoi(filepath.Base(process))
		if err != nil {
			continue
		}
		child, err := readUsage(id) // fails for a process that has ended since
		if err != nil || child.parent != pid {
			continue
		}
		all.cpu += child.cpu
		if memory, err := readProportional(id); err == nil {
			all.resident += memory
		}
	}
	return all, nil
}

// readProportional returns the memory of a process, with its share of what several
// processes use.
func readProportional(pid int) (int64, error) {
	sums, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	return parseKiB(sums, "Pss:")
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
