package power

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
)

// readerOf names a database; TestMain then only has it open, as another process would that reads it. It must be a
// process of its own: when the tests' own process reads the file to compare it, its locks are gone.
const readerOf = "BOOKHOOK_POWER_READER"

// holdOpen has the database open until the standard input ends.
func holdOpen(path string) error {
	pool, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return err
	}
	defer pool.Close()
	var events int
	if err := pool.QueryRowContext(context.Background(), "SELECT count(*) FROM events").Scan(&events); err != nil {
		return err
	}
	fmt.Println("open")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// openReader starts such a process.
func openReader(t testing.TB, path string) (closeIt func()) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), readerOf+"="+path)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	stdout, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "open\n" {
		t.Fatalf("the reader says %q: %v", line, err)
	}
	return func() {
		must(t, stdin.Close())
		must(t, cmd.Wait())
	}
}
