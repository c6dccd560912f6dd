package power

import (
	"bufio"
	"errors"
	"os/exec"
	"syscall"
	"testing"
)

// plain is a binary that runs unrecorded.
type plain struct {
	cmd *exec.Cmd
	url string
}

// startPlain runs serve as it is shipped, and returns when it listens.
func startPlain(t testing.TB, database string) *plain {
	t.Helper()
	p, err := launchPlain(honestBinary, database)
	must(t, err)
	t.Cleanup(func() {
		if p.cmd.ProcessState == nil {
			_ = p.cmd.Process.Kill()
			_ = p.cmd.Wait()
		}
	})
	return p
}

func launchPlain(program, database string) (*plain, error) {
	p := &plain{cmd: exec.Command(program, "serve", "--database", database, "--listen", "127.0.0.1:0", "--allow-private-targets", "127.0.0.0/8")}
	p.cmd.Env = environ()
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for lines := bufio.NewScanner(stdout); lines.Scan(); {
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			p.url = m[1]
			return p, nil // what it prints after that fits into the pipe
		}
	}
	return nil, errors.Join(errors.New("it ended at its start"), p.cmd.Wait())
}

// end asks it to stop, and waits.
func (p *plain) end() error {
	return errors.Join(p.cmd.Process.Signal(syscall.SIGTERM), p.cmd.Wait())
}

func (p *plain) stop(t testing.TB) {
	t.Helper()
	must(t, p.end())
}
