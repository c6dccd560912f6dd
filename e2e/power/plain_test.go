package power

import (
	"bufio"
	"os/exec"
	"syscall"
	"testing"
)

// plain is the binary as it is shipped, unrecorded.
type plain struct {
	t   testing.TB
	cmd *exec.Cmd
	url string
}

// startPlain runs serve and returns when it listens.
func startPlain(t testing.TB, database string) *plain {
	t.Helper()
	p := &plain{t: t, cmd: exec.Command(honestBinary, "serve", "--database", database, "--listen", "127.0.0.1:0", "--allow-private-targets", "127.0.0.0/8")}
	p.cmd.Env = environ()
	stdout, err := p.cmd.StdoutPipe()
	must(t, err)
	must(t, p.cmd.Start())
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			p.url = m[1]
			return p // what it prints after that fits into the pipe
		}
	}
	t.Fatalf("serve ended at its start: %v", p.cmd.Wait())
	return nil
}

func (p *plain) stop() {
	p.t.Helper()
	must(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	must(p.t, p.cmd.Wait())
}
