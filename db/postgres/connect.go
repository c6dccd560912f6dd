package postgres

import (
	"context"
	"database/sql"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

// readerConns is how many connections read at the same time. With the one that writes
// and the one of the lock, a process has ten.
const readerConns = 8

// connectTimeout is for how long a server may be silent when a connection is opened, if
// the URL says nothing else (connect_timeout).
const connectTimeout = 10 * time.Second

// idleTime is after how long without use a connection of readers is closed.
const idleTime = 5 * time.Minute

// lostTime is within which a machine that is silent counts as lost, for those who read
// without a deadline.
const lostTime = 30 * time.Second

func dialer(timeout time.Duration) *net.Dialer {
	return &net.Dialer{
		Timeout: timeout, Control: limitSilence,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: lostTime / 2, Interval: lostTime / 6, Count: 3},
	}
}

// IsURL reports whether the name of a database is the URL of one on a server.
func IsURL(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

// Name returns a URL for messages: without the password and the parameters, which may
// have one, too.
func Name(dsn string) string {
	u, err := url.Parse(dsn)
	if err != nil || isMisread(u) {
		return "postgres://…"
	}
	name := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}
	if u.User.Username() != "" {
		name.User = url.User(u.User.Username())
	}
	return name.String()
}

// isMisread reports whether a part of the password may be in another part of the URL,
// since it has a character that ends the host.
func isMisread(u *url.URL) bool {
	return strings.Contains(u.EscapedPath()+u.RawQuery+u.EscapedFragment(), "@")
}

// parse reads a URL. Its error never has a part of it, which may be the password.
func parse(dsn string) (*pgx.ConnConfig, error) {
	if u, err := url.Parse(dsn); err != nil || isMisread(u) {
		return nil, errors.New("the URL of the database cannot be read; it is postgres://USER:PASSWORD@HOST:PORT/DATABASE, in which other characters than letters and digits are written as in %40 for @")
	}
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		var parsing *pgconn.ParseConfigError
		if errors.As(err, &parsing) && parsing.Unwrap() != nil {
			err = parsing.Unwrap() // without the URL
		} else {
			err = errors.New("a parameter is wrong")
		}
		return nil, errors.Join(errors.New("the URL of the database "+Name(dsn)+" cannot be used"), err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	config.DialFunc = dialer(config.ConnectTimeout).DialContext
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "bookhook"
	}
	return config, nil
}

// pool returns a pool of up to so many connections, none of which is opened yet.
func pool(config *pgx.ConnConfig, conns int) *sql.DB {
	pool := stdlib.OpenDB(*config, stdlib.OptionAfterConnect(untypedTexts))
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(idleTime)
	return pool
}

// untypedTexts makes the server find out the types of texts where statements are not
// prepared (default_query_exec_mode=exec), as it does where they are.
func untypedTexts(_ context.Context, conn *pgx.Conn) error {
	conn.TypeMap().RegisterDefaultPgType("", "unknown")
	return nil
}
