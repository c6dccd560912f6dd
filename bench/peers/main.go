package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"bookhook/bench"
)

const connections = 128 // of the load

// riverCommand is the hidden command that runs River in a process of its own.
const riverCommand = "river"

// The peers, and what their commands are called.
const (
	single  = "River, single"
	grouped = "River, grouped"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	if len(args) == 4 && args[0] == riverCommand {
		return runRiver(ctx, args[2], args[3], args[1] == grouped, out)
	}
	flags := flag.NewFlagSet("peers", flag.ContinueOnError)
	seconds := flags.Int("seconds", 10, "how long each measurement lasts, `N` seconds")
	rounds := flags.Int("rounds", 3, "how often each program is measured, `N` times")
	dir := flags.String("dir", "", "the `FOLDER` of the databases, on the disk to be measured; default: a temporary one")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *seconds < 1 || *rounds < 1 {
		return errors.New("--seconds and --rounds are at least 1, and there is nothing else to say but --dir; see --help")
	}
	r, err := measure(ctx, *dir, time.Duration(*seconds)*time.Second, *rounds, progress)
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	if err != nil {
		return err
	}
	return errors.Join(r.write(out), r.check())
}

// measure measures Bookhook and the peers in a temporary folder.
func measure(ctx context.Context, dir string, each time.Duration, rounds int, progress io.Writer) (r result, err error) {
	temp, err := os.MkdirTemp(dir, "bookhook-peers-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	if err := os.Chmod(temp, 0o711); err != nil { // PostgreSQL may run as another user
		return r, err
	}
	postgres, err := startCluster(ctx, filepath.Join(temp, "pg"))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, postgres.stop()) }()
	binary := filepath.Join(temp, "bookhook")
	if err := buildBookhook(ctx, binary, progress); err != nil {
		return r, err
	}
	database, err := postgres.pid()
	if err != nil {
		return r, err
	}
	peers, err := riverPeers(postgres, database)
	if err != nil {
		return r, err
	}
	report, err := bench.RunBeside(ctx, bench.Options{
		Command: func(args ...string) *exec.Cmd { return exec.Command(binary, args...) },
		Time:    each, Connections: connections, Progress: progress, Dir: temp,
		NewDatabase: postgres.newURL, DatabaseProcess: database,
	}, rounds, peers)
	return result{report: report, rounds: rounds, peers: peers, postgres: postgres.version}, err
}

// buildBookhook builds Bookhook in its own module, with the versions that it names.
func buildBookhook(ctx context.Context, to string, progress io.Writer) error {
	fmt.Fprintln(progress, "building Bookhook")
	folder, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "bookhook").Output()
	if err != nil {
		return fmt.Errorf("run this with \"go run .\" in the folder bench/peers: Bookhook's folder is not found: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", to, ".")
	cmd.Dir, cmd.Env, cmd.Stderr = strings.TrimSpace(string(folder)), append(os.Environ(), "CGO_ENABLED=0"), progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build Bookhook: %w", err)
	}
	return nil
}

// riverPeers returns the two ways to insert with River.
func riverPeers(postgres *cluster, database int) ([]bench.Peer, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var peers []bench.Peer
	for _, name := range []string{single, grouped} {
		peers = append(peers, bench.Peer{Name: name, Database: database, Command: func(ctx context.Context, receiver string) (*exec.Cmd, error) {
			address, err := postgres.newDatabase(ctx)
			return exec.Command(self, riverCommand, name, address, receiver), err
		}})
	}
	return peers, nil
}
