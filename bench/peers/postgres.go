package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// settings are those of the cluster; all others are PostgreSQL's own. A commit is on
// disk before it is answered. No checkpoint falls into a measurement of a minute: the
// write-ahead log may grow to max_wal_size, and each measurement begins after a
// checkpoint. Nothing is replicated.
const settings = `
listen_addresses = ''
fsync = on
synchronous_commit = on
full_page_writes = on
shared_buffers = 256MB
wal_buffers = 16MB
min_wal_size = 1GB
max_wal_size = 8GB
checkpoint_timeout = 30min
wal_level = minimal
max_wal_senders = 0
max_connections = 200
jit = off
`

// superuser is the cluster's, and on Debian also the system's user that may run it.
const superuser = "postgres"

var errMissing = errors.New(`PostgreSQL is missing. Install it (Debian: apt-get install postgresql; macOS: brew install postgresql), or add the folder of initdb and pg_ctl to PATH`) //nolint:staticcheck,revive // a name

// cluster is a PostgreSQL of our own in a folder of its own, reached by a socket there.
type cluster struct {
	programs string // the folder of initdb and pg_ctl
	dir      string
	owner    *syscall.Credential // nil: who runs us
	made     int                 // databases
	version  string              // of the server; known when a database was made
}

// findPrograms returns the folder of initdb and pg_ctl. Debian does not have it in
// PATH.
func findPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	all, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(all) == 0 {
		return "", errMissing
	}
	version := func(path string) int {
		n, _ := strconv.Atoi(filepath.Base(filepath.Dir(filepath.Dir(path)))) // 0 for another name
		return n
	}
	return filepath.Dir(slices.MaxFunc(all, func(a, b string) int { return version(a) - version(b) })), nil
}

// startCluster creates a cluster in a new folder and starts it.
func startCluster(ctx context.Context, dir string) (*cluster, error) {
	programs, err := findPrograms()
	if err != nil {
		return nil, err
	}
	c := &cluster{programs: programs, dir: dir}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		if err := c.giveAway(); err != nil {
			return nil, err
		}
	}
	if err := c.run(ctx, "initdb", "-D", dir, "-U", superuser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"); err != nil {
		return nil, err
	}
	config, err := os.OpenFile(filepath.Join(dir, "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintf(config, "%sunix_socket_directories = '%s'\n", settings, strings.ReplaceAll(dir, "'", "''"))
	if err := errors.Join(err, config.Close()); err != nil {
		return nil, err
	}
	if err := c.run(ctx, "pg_ctl", "-D", dir, "-w", "-l", c.log(), "start"); err != nil {
		log, _ := os.ReadFile(c.log()) // there is none if pg_ctl failed before
		return nil, fmt.Errorf("%w\n%s", err, log)
	}
	return c, nil
}

func (c *cluster) log() string { return filepath.Join(c.dir, "log") }

// giveAway gives the folder to the user that PostgreSQL runs as.
func (c *cluster) giveAway() error {
	owner, err := user.Lookup(superuser)
	if err != nil {
		return fmt.Errorf("PostgreSQL does not run as root, and there is no user %s to run it as: create one, or run this as another user than root", superuser)
	}
	uid, err := strconv.ParseUint(owner.Uid, 10, 32)
	if err != nil {
		return err
	}
	gid, err := strconv.ParseUint(owner.Gid, 10, 32)
	if err != nil {
		return err
	}
	c.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(c.dir, int(uid), int(gid))
}

// run runs one of PostgreSQL's programs, with nothing of our environment but PATH.
func (c *cluster) run(ctx context.Context, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(c.programs, name), args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.owner}
	output, err := cmd.CombinedOutput()
	if err == nil {
		return nil
	}
	hint := ""
	if c.owner != nil {
		hint = fmt.Sprintf(" (it runs as user %s, who must be able to open that folder; --dir names another)", superuser)
	}
	return fmt.Errorf("PostgreSQL's %s fails in %s%s: %w\n%s", name, c.dir, hint, err, output)
}

// stop stops the cluster. It does so after an interruption, too.
func (c *cluster) stop() error {
	return c.run(context.Background(), "pg_ctl", "-D", c.dir, "-w", "-m", "fast", "stop")
}

// pid returns the id of the process whose children do the work.
func (c *cluster) pid() (int, error) {
	text, err := os.ReadFile(filepath.Join(c.dir, "postmaster.pid"))
	if err != nil {
		return 0, err
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return strconv.Atoi(line)
}

// address returns how to connect to a database. Every setting is given, so that none
// comes from the environment.
func (c *cluster) address(database string) string {
	quoted := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(c.dir)
	return fmt.Sprintf("host='%s' port=5432 user=%s dbname=%s sslmode=disable", quoted, superuser, database)
}

// newURL is newDatabase, but returns a URL.
func (c *cluster) newURL(ctx context.Context) (string, error) {
	if _, err := c.newDatabase(ctx); err != nil {
		return "", err
	}
	return fmt.Sprintf("postgres://%s@/%s?host=%s&port=5432&sslmode=disable", superuser, c.name(), url.QueryEscape(c.dir)), nil
}

// name is the name of the newest database.
func (c *cluster) name() string { return fmt.Sprintf("measured_%d", c.made) }

// newDatabase replaces the database of the last measurement by an empty one, writes
// everything to disk so that nothing of it is left to be done, and returns the
// address.
func (c *cluster) newDatabase(ctx context.Context) (string, error) {
	conn, err := pgx.Connect(ctx, c.address(superuser))
	if err != nil {
		return "", err
	}
	c.version = conn.PgConn().ParameterStatus("server_version")
	var statements []string
	if c.made > 0 {
		statements = append(statements, "DROP DATABASE "+c.name())
	}
	c.made++
	statements = append(statements, "CREATE DATABASE "+c.name(), "CHECKPOINT")
	for _, statement := range statements {
		if _, e := conn.Exec(ctx, statement); e != nil {
			err = fmt.Errorf("%s: %w", statement, e)
			break
		}
	}
	return c.address(c.name()), errors.Join(err, conn.Close(ctx))
}
