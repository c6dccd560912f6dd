package power

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// traced are the system calls of a recording: all that change files or their names, flushes, and talk on sockets. One
// that the disk does not know and that hits a file of the database ends the test.
const traced = "open,openat,creat,close,read,write,writev,pwrite64,pwritev,pwritev2,ftruncate,truncate,fallocate,fsync,fdatasync,sync_file_range," +
	"unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlinkat,copy_file_range,sendfile,splice"

// recording is a run of the binary under strace, or several one after the other on the same files.
type recording struct {
	t       testing.TB
	program string
	folder  string // of the database
	URL     string
	files   map[string][]byte // what the folder held at first, on disk

	traces []string
	left   []map[string][]byte // what was in the folder after each run
	cmd    *exec.Cmd
	exited chan struct{}
}

// newRecording records on the files that are in the folder now.
func newRecording(t testing.TB, program, folder string) *recording {
	t.Helper()
	needStrace(t)
	return &recording{t: t, program: program, folder: folder, files: readFolder(t, folder)}
}

func readFolder(t testing.TB, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	entries, err := os.ReadDir(folder)
	must(t, err)
	for _, e := range entries {
		files[e.Name()], err = os.ReadFile(filepath.Join(folder, e.Name()))
		must(t, err)
	}
	return files
}

// needStrace skips the test where nothing can be recorded.
func needStrace(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("strace", "-f", "-qq", "-e", "trace=none", "true").CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOTHING WAS TESTED: strace cannot record here (Linux, the package strace and the right to ptrace are needed): %v %s", err, out)
	}
}

func (r *recording) database() string { return filepath.Join(r.folder, "bookhook.db") }

var listening = regexp.MustCompile(`listening on (http://\S+)`)

// start starts serve and returns when it listens. faults are more arguments of strace.
func (r *recording) start(faults ...string) {
	r.t.Helper()
	listen := "127.0.0.1:0"
	if r.URL != "" {
		listen = strings.TrimPrefix(r.URL, "http://") // as before
	}
	out := r.launch(faults, "serve", "--database", r.database(), "--listen", listen, "--allow-private-targets", "127.0.0.0/8")
	select {
	case line := <-out:
		r.URL = line
	case <-r.exited:
		r.t.Fatalf("serve ended at its start: %s", r.cmd.ProcessState)
	case <-time.After(patience):
		r.t.Fatalf("serve does not listen after %s", patience)
	}
}

// launch starts a command of the binary under strace; its address comes over the channel, if it gets one.
func (r *recording) launch(faults []string, args ...string) <-chan string {
	r.t.Helper()
	trace := filepath.Join(r.t.TempDir(), fmt.Sprint("trace-", len(r.traces)))
	r.traces = append(r.traces, trace)
	// -D: strace is the grandchild, so that signals and the exit code are the binary's own.
	strace := append([]string{"-D", "-f", "-qq", "--seccomp-bpf", "-y", "-xx", "-s", strconv.Itoa(8 << 20), "-o", trace, "-e", "trace=" + traced}, faults...)
	r.cmd = exec.Command("strace", append(append(strace, r.program), args...)...)
	r.cmd.Env = environ()
	printed := &tail{}
	r.cmd.Stderr = printed
	stdout, err := r.cmd.StdoutPipe()
	must(r.t, err)
	must(r.t, r.cmd.Start())
	address := make(chan string, 1)
	r.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		for lines := bufio.NewScanner(stdout); lines.Scan(); {
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		_ = cmd.Wait() // how it ended is read from cmd.ProcessState
		close(exited)
	}(r.cmd, r.exited)
	r.t.Cleanup(func() {
		if r.end(syscall.SIGKILL); r.t.Failed() {
			r.t.Logf("it printed:\n%s", printed.text)
		}
	})
	return address
}

// end sends the signal and waits for the process, and for strace to write its last line.
func (r *recording) end(signal syscall.Signal) {
	r.t.Helper()
	_ = r.cmd.Process.Signal(signal) // it may have ended
	select {
	case <-r.exited:
	case <-time.After(patience):
		_ = r.cmd.Process.Kill()
		<-r.exited
		r.t.Errorf("bookhook did not end within %s", patience)
	}
	if len(r.left) < len(r.traces) {
		r.left = append(r.left, readFolder(r.t, r.folder))
	}
}

func (r *recording) kill9() {
	r.t.Helper()
	r.end(syscall.SIGKILL)
}

func (r *recording) stop() {
	r.t.Helper()
	r.end(syscall.SIGTERM)
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Errorf("exit code after SIGTERM: got %d, want 0", code)
	}
}

// tape is what was recorded, once the process has ended. The disk must agree with the files that the process left.
func (r *recording) tape() *tape {
	r.t.Helper()
	tp := &tape{folder: r.folder, files: r.files}
	var ends []int
	for i, trace := range r.traces {
		must(r.t, tp.read(trace, i))
		tp.settle(i, r.left[i])
		ends = append(ends, tp.lines+1)
	}
	must(r.t, tp.listen())
	rng := rand.New(rand.NewPCG(1, 1))
	d := newDisk(tp, rng, honest)
	for i, end := range ends {
		must(r.t, d.advance(end))
		got := d.cut(all, rng)
		for name, want := range r.left[i] {
			if _, counts := tp.name(filepath.Join(r.folder, name)); counts && !bytes.Equal(got[name], want) {
				r.t.Fatalf("the recording of run %d gives another %s (%d bytes) than there is (%d bytes)", i, name, len(got[name]), len(want))
			}
		}
	}
	return tp
}

// environ is ours without BOOKHOOK_ settings.
func environ() []string {
	var env []string
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "BOOKHOOK_") {
			env = append(env, v)
		}
	}
	return env
}

// tail keeps what a process printed, for a test that fails.
type tail struct{ text []byte }

func (l *tail) Write(p []byte) (int, error) {
	l.text = append(l.text, p...)
	if n := len(l.text); n > 8<<10 {
		l.text = l.text[n-8<<10:]
	}
	return len(p), nil
}

// build makes the binary. If often is set, it makes a checkpoint after some hundred pages instead of 20,000: that number
// is the only difference, and with it a short recording has many checkpoints and its files are small.
func build(folder string, often bool) (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	path := filepath.Join(folder, fmt.Sprint("bookhook-", often))
	args := []string{"build", "-buildvcs=false", "-o", path}
	if often {
		overlay, err := checkpointsOften(folder, filepath.Join(root, "db", "sqlite", "checkpoint.go"))
		if err != nil {
			return "", err
		}
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.Command("go", append(args, ".")...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

var limits = regexp.MustCompile(`(checkpointPages\s*=) 20_000\b|(remainingPages\s*=) 400\b`)

// checkpointsOften writes the overlay for "go build" in which the source has lower limits.
func checkpointsOften(folder, source string) (string, error) {
	text, err := os.ReadFile(source)
	if err != nil {
		return "", err
	}
	if n := len(limits.FindAll(text, -1)); n != 2 {
		return "", fmt.Errorf("%s has %d of the 2 limits that are to be lowered", source, n)
	}
	changed := filepath.Join(folder, "checkpoint.go")
	overlay := filepath.Join(folder, "overlay.json")
	table, err := json.Marshal(map[string]map[string]string{"Replace": {source: changed}})
	if err != nil {
		return "", err
	}
	low := limits.ReplaceAll(text, []byte("${1}${2} 160"))
	return overlay, errors.Join(os.WriteFile(changed, low, fs.FileMode(0o600)), os.WriteFile(overlay, table, 0o600))
}
