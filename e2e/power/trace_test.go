package power

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// never is the moment of what did not happen.
const never = math.MaxInt

// call is one system call. Moments are line numbers of the trace: what a call caused is always below it.
type call struct {
	name       string
	fd         string // its descriptor
	on         string // and the file or socket of that
	texts      [][]byte
	rest       string // of the arguments, after the first text or the descriptor
	result     int64
	failed     bool
	begin, end int // end is never if the process died in it
	run        int // of the binary
}

// tape is a recording, read.
type tape struct {
	folder string
	files  map[string][]byte // before it
	calls  []*call           // in the order in which they began
	lines  int
	marks  []mark
	copies []backup
	sound  sync.Map // copies that were restored and checked, by name and content
	lost   string   // what does not agree with the files; "" if all does
}

// read adds what strace wrote about one run of the binary.
func (tp *tape) read(trace string, run int) error {
	file, err := os.Open(trace)
	if err != nil {
		return err
	}
	defer file.Close()
	unfinished := map[string]*call{} // by thread
	started := map[*call]string{}
	for lines := bufio.NewReaderSize(file, 1<<20); ; {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		tp.lines++
		thread, text, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		text = strings.TrimLeft(text, " ")
		c := unfinished[thread]
		switch {
		case strings.HasPrefix(text, "---") || strings.HasPrefix(text, "+++"):
			continue // a signal, or the end
		case strings.HasPrefix(text, "<... "):
			if c == nil {
				return fmt.Errorf("%s:%d: what is resumed did not begin", trace, tp.lines)
			}
			_, after, _ := strings.Cut(text, " resumed>")
			text = started[c] + after
			delete(unfinished, thread)
			delete(started, c)
		default:
			c = &call{begin: tp.lines, end: never, run: run}
			tp.calls = append(tp.calls, c)
		}
		if before, waits := strings.CutSuffix(text, " <unfinished ...>"); waits {
			unfinished[thread], started[c] = c, before
			text = before + " = ?"
		} else if before, died := strings.CutSuffix(text, " <detached ...>"); died { // its thread, before strace had read all of the call
			text = before + " = ?"
		}
		if err := c.parse(text, tp.lines); err != nil {
			return fmt.Errorf("%s:%d: %w", trace, tp.lines, err)
		}
	}
}

// parse reads one call, as strace -y -xx writes it: pwrite64(9<\x2f…>, "\x0a…", 4096, 0) = 4096.
func (c *call) parse(text string, line int) error {
	open := strings.IndexByte(text, '(')
	equals := strings.LastIndex(text, " = ")
	if open < 0 || equals < open {
		return fmt.Errorf("no system call: %.200s", text)
	}
	c.name, c.texts, c.on = text[:open], nil, ""
	result := text[equals+len(" = "):]
	if !strings.HasPrefix(result, "?") && !strings.HasPrefix(result, "18446744073709551615") { // killed in it
		digits := strings.IndexFunc(result[1:], func(r rune) bool { return r < '0' || r > '9' })
		if digits >= 0 {
			result = result[:digits+1]
		}
		n, err := strconv.ParseInt(result, 10, 64)
		if err != nil {
			return fmt.Errorf("result %q: %w", result, err)
		}
		c.result, c.failed, c.end = n, n < 0, line
	}
	args := strings.TrimSuffix(strings.TrimRight(text[open+1:equals], " "), ")")
	if from, to := strings.IndexByte(args, '<'), strings.IndexByte(args, '>'); from > 0 && to > from && !strings.ContainsAny(args[:from], `",`) {
		on, err := unhex(args[from+1 : to])
		if err != nil {
			return err
		}
		c.fd, c.on = args[:from], string(on)
		args = args[to+1:]
	}
	for {
		from := strings.IndexByte(args, '"')
		if from < 0 {
			break
		}
		length := strings.IndexByte(args[from+1:], '"')
		if length < 0 {
			return fmt.Errorf("no end of the text: %.200s", text)
		}
		data, err := unhex(args[from+1 : from+1+length])
		if err != nil {
			return err
		}
		c.texts = append(c.texts, data)
		args = args[from+length+2:]
		if strings.HasPrefix(args, "...") && c.name != "read" { // of a large buffer strace may show a part; only what is written counts
			return fmt.Errorf("%s: a text was cut short", c.name)
		}
	}
	c.rest = strings.TrimPrefix(args, ", ")
	return nil
}

// unhex reads \x2f\x74, or what is not written so.
func unhex(text string) ([]byte, error) {
	if !strings.HasPrefix(text, `\x`) {
		return []byte(text), nil
	}
	digits := make([]byte, 0, len(text)/2)
	for i := 0; i+3 < len(text); i += 4 {
		digits = append(digits, text[i+2], text[i+3])
	}
	n, err := hex.Decode(digits, digits)
	return digits[:n], err
}

// numbers are the numeric arguments after the text: of pwrite64 the length and the offset.
func (c *call) numbers() []int64 {
	var all []int64
	for _, field := range strings.Split(c.rest, ", ") {
		if n, err := strconv.ParseInt(strings.TrimSpace(field), 10, 64); err == nil {
			all = append(all, n)
		}
	}
	return all
}

// settle decides about calls in which the run was killed: the files that it left tell whether they were carried out.
func (tp *tape) settle(run int, left map[string][]byte) {
	for _, c := range tp.calls {
		if c.run != run || c.end != never || c.failed || tp.flush(c) {
			continue
		}
		path := c.on
		if len(c.texts) > 0 && !strings.HasPrefix(c.name, "pwrite") {
			path = string(c.texts[len(c.texts)-1])
		}
		name, counts := tp.name(path)
		if !counts {
			continue
		}
		content, there := left[name]
		if c.carriedOut(content, there) {
			c.end = tp.lines
		} else {
			c.failed = true
		}
	}
}

func (c *call) carriedOut(content []byte, there bool) bool {
	numbers := c.numbers()
	switch c.name {
	case "pwrite64":
		from, to := numbers[1], numbers[1]+int64(len(c.texts[0]))
		return to <= int64(len(content)) && bytes.Equal(content[from:to], c.texts[0])
	case "ftruncate":
		return int64(len(content)) == numbers[0]
	case "unlink", "unlinkat":
		return !there
	default:
		return there
	}
}

// TestDetached: at the end of a process strace (6.1) now and then leaves a thread without having read its last call.
func TestDetached(t *testing.T) {
	trace := filepath.Join(t.TempDir(), "trace")
	must(t, os.WriteFile(trace, []byte(`10 write(1</dev/null>, "\x61", 1) = 1
11 read(0</dev/null>,  <detached ...>
12 pwrite64(9</data/bookhook.db>, "\x61", 1, 4096 <unfinished ...>
12 <... pwrite64 resumed> <detached ...>
13 ???( <detached ...>
`), 0o600))
	tp := &tape{folder: "/data"}
	must(t, tp.read(trace, 0))
	var ended []bool
	for _, c := range tp.calls {
		ended = append(ended, c.end != never)
	}
	if want := []bool{true, false, false, false}; !slices.Equal(ended, want) {
		t.Errorf("calls that ended: got %v, want %v", ended, want)
	}
}
