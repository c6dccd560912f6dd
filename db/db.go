// Package db has all SQL: it stores accounts, webhooks, events, deliveries and
// attempts in one [Store].
//
// One exported method is one transaction. Every method that reads or changes
// something of an account takes the account's id and returns
// [webhook.ErrNotFound] for what belongs to another one. Times are arguments; no
// query says "now".
//
// Each method has one SQL text, in the syntax that SQLite and PostgreSQL share.
// What differs between databases is behind the interface engine, which the packages
// db/sqlite and db/postgres implement: the tables, how a database is opened, how errors are
// recognised, and how writes are run. Waiting writes run as a group in one
// transaction, and a write that returned is on disk; Insert, Claim and Finish are
// such writes, so that concurrent requests share the cost of a commit.
//
// Matching is not part of a transaction: the dispatcher makes a [webhook.Plan]
// from the account's [Store.Subscriptions], and [Store.Insert] stores it if they
// have not changed since (subscriptions.go).
//
// A delivery usually costs two writes: [Store.Insert] inserts it already claimed,
// [Store.Finish] adds the attempt and sets the new state.
//
// An event whose platform must first be asked about the booking has a row in the
// table lookups, and no decisions, until [Store.CompleteLookups] stores its match
// (lookups.go). The call of an inline webhook ([Store.InsertInline]) is one
// delivery, which is claimed when it is inserted and never due.
//
// [Store.Watch] reports which webhooks a change affects. Of several processes on
// PostgreSQL, each serves the accounts that it holds ([Store.Lease]), and announces to the
// others what it changes of theirs (replicas.go).
//
// With a key, secrets are encrypted in the tables (secrets.go).
package db

import (
	"context"
	"errors"
	"strconv"
	"time"

	"bookhook/db/postgres"
	"bookhook/db/sqlite"
	"bookhook/db/transfer"
	"bookhook/seal"
	"bookhook/stats"
	"bookhook/webhook"
)

// Store is the database. Close it when done.
type Store struct {
	engine        engine
	key           *seal.Key // of the secrets in the database; nil: they are not encrypted
	keyCheck      string    // the row keyCheck when the database was opened; "" without a key
	nextID        func() int64
	subscriptions subscriptionCache
	revisions     map[webhook.AccountID]checkedRevision   // used by writes only, of which one runs at a time
	healthy       map[webhook.WebhookID]uint64            // the round of writes in which a webhook was last known to be healthy, or failing; used by writes only
	accounts      map[webhook.WebhookID]webhook.AccountID // of webhooks; used by writes only
	counted       stats.Log                               // what the writes of this group counted that have ended; used by writes only
	announced     []webhook.Touched                       // what they touched; used by writes only
	stale         bool                                    // they changed what may be cached; used by writes only
	arriving      arriving
	search        int                     // rows that one request reads; see searchRows
	touched       func([]webhook.Touched) // see Watch
	queued        func()                  // see WatchOutbox
}

// Open opens a database and brings it up to date. It is named by the path of a SQLite
// file, beside which an upgrade leaves a snapshot, or by a URL of PostgreSQL (OnServer).
// Open returns an error that wraps fs.ErrNotExist if there is none. A database of a newer
// Bookhook, or of one from before the first release, is refused and left as it is; and so
// is one whose secrets are encrypted with another key, with an error that wraps ErrNoKey or
// ErrOtherKey. While the secrets are not encrypted, the key is not used; see UseKey.
func Open(ctx context.Context, at string, key *seal.Key) (*Store, error) {
	return openWith(ctx, at, key, openEngine)
}

// Create is Open, but creates the file if there is none, or the tables if PostgreSQL has
// none.
func Create(ctx context.Context, at string, key *seal.Key) (*Store, error) {
	return openWith(ctx, at, key, createEngine)
}

func openEngine(ctx context.Context, at string) (engine, error) {
	if OnServer(at) {
		return postgres.Open(ctx, at)
	}
	return sqlite.Open(ctx, at)
}

func createEngine(ctx context.Context, at string) (engine, error) {
	if OnServer(at) {
		return postgres.Create(ctx, at)
	}
	return sqlite.Create(ctx, at)
}

func openWith(ctx context.Context, at string, key *seal.Key, open func(context.Context, string) (engine, error)) (*Store, error) {
	check, err := readKeyCheck(ctx, at, key)
	if err != nil {
		return nil, err
	}
	engine, err := open(ctx, at)
	if err != nil {
		return nil, err
	}
	s, err := newStore(engine)
	if err == nil && check != "" {
		s.key, s.keyCheck = key, check
	}
	return s, err
}

// OnServer reports whether the name of a database is a URL of PostgreSQL, and not the
// path of a SQLite file.
func OnServer(at string) bool { return postgres.IsURL(at) }

// Name returns the name of a database for messages: without a password.
func Name(at string) string {
	if OnServer(at) {
		return postgres.Name(at)
	}
	return at
}

// ErrInUse is wrapped by the error of a Lock that another process has, on PostgreSQL.
var ErrInUse = postgres.ErrInUse

// Lock reserves a database that nobody may serve, until the process ends or calls
// release. Commands that only change something need no lock.
func Lock(ctx context.Context, at string) (release func() error, err error) {
	if OnServer(at) {
		return postgres.Lock(ctx, at)
	}
	return sqlite.Lock(at)
}

// LockServing is Lock for a process that serves the database: one at a time on SQLite,
// any number on PostgreSQL.
func LockServing(ctx context.Context, at string) (release func() error, err error) {
	if OnServer(at) {
		return postgres.LockServing(ctx, at)
	}
	return sqlite.Lock(at)
}

// Backup copies a database to a new file, while Bookhook may run. The copy, which is a
// SQLite database, is complete, checked and on disk when Backup returns; else there is none.
func Backup(ctx context.Context, at, to string, report func(Progress)) error {
	if OnServer(at) {
		return sqlite.WriteBackup(ctx, to, func(part string) error {
			_, err := copyToFile(ctx, at, part, false, report)
			return err
		})
	}
	return sqlite.Backup(ctx, at, to)
}

// RecordBackup stores in a database that it was backed up at now, while Bookhook may run.
func RecordBackup(ctx context.Context, at string, key *seal.Key, now time.Time) error {
	if !OnServer(at) {
		return sqlite.RecordBackup(ctx, at, now)
	}
	s, err := Open(ctx, at, key)
	if err != nil {
		return err
	}
	err = s.write(ctx, func(tx transaction) error {
		return putSetting(ctx, tx, sqlite.LastBackup, strconv.AppendInt(nil, now.UnixMilli(), 10))
	})
	return errors.Join(err, s.Close())
}

// LastBackup returns when the database was backed up last, zero if it never was.
func (s *Store) LastBackup(ctx context.Context) (time.Time, error) {
	var value []byte
	err := queryRow(ctx, s.engine, `SELECT value FROM settings WHERE key = $1`, sqlite.LastBackup).scanOptional(&value)
	if err != nil || value == nil {
		return time.Time{}, err
	}
	millis, err := strconv.ParseInt(string(value), 10, 64)
	return fromMillis(millis), err
}

// Restore puts a copy of a backup in the place of the SQLite database at path, which
// nobody may be using, and returns under which name the database that was there is
// kept; "" if there was none. A backup that is not sound is refused.
func Restore(ctx context.Context, backup, path string, now time.Time) (kept string, err error) {
	release, err := sqlite.Lock(path)
	if err != nil {
		return "", err
	}
	kept, err = sqlite.Restore(ctx, backup, path, now)
	return kept, errors.Join(err, release())
}

// Progress is what a copy is doing.
type Progress = transfer.Progress

// Copied is what a copy has.
type Copied struct {
	Rows     map[string]int64 // by table
	Replaced int64            // texts in which something that PostgreSQL cannot store was replaced
}

// RestoreTo copies a backup into an empty database of PostgreSQL, as Move does.
func RestoreTo(ctx context.Context, backup, to string, report func(Progress)) (done Copied, err error) {
	release, err := Lock(ctx, to)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, release()) }()
	return copyToServer(ctx, backup, to, false, report)
}

// Move copies a database into an empty one of the other kind, and verifies the copy.
// Nobody may be using either. If it is interrupted, the new database is refused by
// everybody, and the same call goes on. The old one stays as it is.
func Move(ctx context.Context, from, to string, report func(Progress)) (done Copied, err error) {
	releaseFrom, err := Lock(ctx, from)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, releaseFrom()) }()
	releaseTo, err := Lock(ctx, to)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, releaseTo()) }()
	if OnServer(to) {
		return copyToServer(ctx, from, to, true, report)
	}
	return copyToFile(ctx, from, to, true, report)
}

func copyToServer(ctx context.Context, from, to string, exclusive bool, report func(Progress)) (done Copied, err error) {
	source, err := sqlite.OpenSource(ctx, from, exclusive, postgres.CleanText)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	tables, err := source.Tables(ctx)
	if err != nil {
		return done, err
	}
	target, err := postgres.OpenTarget(ctx, to, from)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	done.Rows, err = transfer.Copy(ctx, source, target, tables, report)
	done.Replaced = source.Replaced()
	if err == nil {
		err = target.Finish(ctx)
	}
	return done, err
}

func copyToFile(ctx context.Context, from, to string, exclusive bool, report func(Progress)) (done Copied, err error) {
	source, err := postgres.OpenSource(ctx, from, exclusive)
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := sqlite.OpenTarget(ctx, to, Name(from))
	if err != nil {
		return done, err
	}
	defer func() { err = errors.Join(err, target.Close()) }()
	tables, err := target.Tables(ctx)
	if err != nil {
		return done, err
	}
	if done.Rows, err = transfer.Copy(ctx, source, target, tables, report); err == nil {
		err = target.Finish(ctx)
	}
	return done, err
}

// Contents is what a database holds.
type Contents = sqlite.Contents

// Check reads the whole SQLite database at path and returns what it holds, or what is
// wrong with it. It writes nothing, and Bookhook may run; if it does not,
// SQLite copies the write-ahead log into the file in the end.
func Check(ctx context.Context, path string) (Contents, error) {
	return sqlite.Check(ctx, path)
}

// Health is what is known of a database of PostgreSQL.
type Health = postgres.Health

// Diagnose checks a database of PostgreSQL, its server and the way to it, and changes
// nothing.
func Diagnose(ctx context.Context, at string) Health { return postgres.Diagnose(ctx, at) }

// How bad a finding of Diagnose is; everything else is fine.
const (
	Doubtful = postgres.Doubtful
	Wrong    = postgres.Wrong
)

func newStore(e engine) (*Store, error) {
	nextID, err := webhook.NewIDs()
	if err != nil {
		return nil, errors.Join(err, e.Close())
	}
	s := &Store{
		engine: e, nextID: nextID, search: searchRows, touched: func([]webhook.Touched) {}, queued: func() {},
		revisions: map[webhook.AccountID]checkedRevision{}, healthy: map[webhook.WebhookID]uint64{}, accounts: map[webhook.WebhookID]webhook.AccountID{}, arriving: arriving{byAccount: map[webhook.AccountID]int{}},
	}
	e.Groups(s.beginGroup, s.endGroup)
	return s, nil
}

// Watch makes the store call touched after each change that affects the
// deliveries of webhooks, once it is on disk and before the method returns. Claim,
// Finish, Release, RetryNow and what is in the result of Insert are not reported,
// since their caller knows; of any write of which it is not known whether it was stored,
// webhook.TouchUnknown is reported as well. Call Watch before others use the store.
func (s *Store) Watch(touched func([]webhook.Touched)) { s.touched = touched }

// WatchOutbox makes the store call queued after each change that added messages to
// the outbox, as Watch does. Call it before others use the store.
func (s *Store) WatchOutbox(queued func()) { s.queued = queued }

// Backdate makes what is inserted from now on so old by its ids, to fill a database
// as if it had been in use for long. Call it before others use the store.
func (s *Store) Backdate(age time.Duration) {
	now, next := time.Now().Truncate(time.Millisecond), s.nextID
	since := int64(webhook.FirstID[webhook.EventID](now) - webhook.FirstID[webhook.EventID](now.Add(-age)))
	s.nextID = func() int64 { return next() - since }
}

// Close finishes what is being written and closes the database.
func (s *Store) Close() error { return s.engine.Close() }

// Ping reports whether the database can be read, and whether the last write failed
// because it could not be written. It writes nothing itself.
func (s *Store) Ping(ctx context.Context) error { return unavailable(s.engine, s.engine.Ping(ctx)) }
