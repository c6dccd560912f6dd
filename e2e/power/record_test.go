package power

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
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
	input   io.Reader         // of the next command
	files   map[string][]byte // what the folder held at first, on disk

	added map[int]string // by run: the account that the command added

	mayLose bool // the tape may lack calls: see tape.lost

	traces []string
	left   []map[string][]byte // what was in the folder after each run
	cmd    *exec.Cmd
	stdout *strings.Builder // complete when exited
	exited chan struct{}
}

// newRecording records on the files that are in the folder now.
func newRecording(t testing.TB, program, folder string) *recording {
	t.Helper()
	needStrace(t)
	return &recording{t: t, program: program, folder: folder, files: readFolder(t, folder), added: map[int]string{}}
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
	r.listens(r.launch(faults, "serve", "--database", r.database(), "--listen", listen, "--allow-private-targets", "127.0.0.0/8"))
}

// listens waits until it does.
func (r *recording) listens(address <-chan string) {
	r.t.Helper()
	select {
	case line := <-address:
		r.URL = line
	case <-r.exited:
		r.t.Fatalf("serve ended at its start: %s", r.cmd.ProcessState)
	case <-time.After(patience):
		r.t.Fatalf("serve does not listen after %s", patience)
	}
}

// run runs another command on the database, recorded, and returns what it printed.
func (r *recording) run(args ...string) string {
	r.t.Helper()
	return r.runFaulty(nil, args...)
}

func (r *recording) runFaulty(faults []string, args ...string) string {
	r.t.Helper()
	r.launch(faults, append(args, "--database", r.database())...)
	<-r.exited
	r.end(syscall.SIGKILL)
	if code := r.cmd.ProcessState.ExitCode(); code != 0 {
		r.t.Fatalf("bookhook %v: exit code %d", args, code)
	}
	return strings.TrimSpace(r.stdout.String())
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
	r.cmd.Stdin = r.input
	stdout, stderr := &strings.Builder{}, &strings.Builder{}
	r.cmd.Stderr, r.stdout = stderr, stdout
	out, err := r.cmd.StdoutPipe()
	must(r.t, err)
	must(r.t, r.cmd.Start())
	address := make(chan string, 1)
	r.exited = make(chan struct{})
	go func(cmd *exec.Cmd, exited chan struct{}) {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			stdout.WriteString(lines.Text() + "\n")
			if m := listening.FindStringSubmatch(lines.Text()); m != nil {
				address <- m[1]
			}
		}
		_ = cmd.Wait() // how it ended is read from cmd.ProcessState
		close(exited)
	}(r.cmd, r.exited)
	r.t.Cleanup(func() {
		if r.end(syscall.SIGKILL); r.t.Failed() {
			r.t.Logf("it printed:\n%s%s", stdout, stderr)
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

// tape is what was recorded, once the process has ended. The disk must agree with the files that the process left, or
// the tape says that it has lost something, if it may.
func (r *recording) tape() *tape {
	r.t.Helper()
	tp := &tape{folder: r.folder, files: r.files}
	var ends []int
	for i, trace := range r.traces {
		must(r.t, tp.read(trace, i))
		tp.settle(i, r.left[i])
		ends = append(ends, tp.lines+1)
		if number := r.added[i]; number != "" {
			tp.marks = append(tp.marks, mark{at: tp.lines, kind: added, id: number})
		}
	}
	must(r.t, tp.listen())
	tp.copies = tp.backups()
	rng := rand.New(rand.NewPCG(1, 1))
	d := newDisk(tp, rng, func(c *call) bool { return c.failed }) // that the system has given up shows after a power cut only
	for i, end := range ends {
		must(r.t, d.advance(end))
		got := d.cut(all, rng)
		for name, want := range r.left[i] {
			if _, counts := tp.name(filepath.Join(r.folder, name)); counts && !bytes.Equal(got[name], want) {
				tp.lost = fmt.Sprintf("the recording of run %d gives another %s (%d bytes) than there is (%d bytes)", i, name, len(got[name]), len(want))
				if !r.mayLose {
					r.t.Fatal(tp.lost)
				}
				return tp
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
