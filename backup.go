package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"bookhook/db"
)

type backupCommand struct {
	File string `arg:"" name:"FILE" help:"The new file."`
}

// Run copies the database while Bookhook may be running.
func (c backupCommand) Run(ctx context.Context, std streams, at database) error {
	encrypted, err := checkKey(ctx, at, string(at.path))
	if err != nil {
		return err
	}
	err = db.Backup(ctx, string(at.path), c.File, progressTo(std.err))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noDatabase(at)
	case err != nil && ctx.Err() != nil:
		return errors.New("interrupted; there is no backup")
	case err != nil:
		return err
	}
	held, err := db.Check(ctx, c.File)
	if err != nil {
		return err
	}
	key, err := at.key.read()
	if err == nil {
		err = db.RecordBackup(ctx, string(at.path), key, time.Now())
	}
	if err != nil {
		fmt.Fprintf(std.err, "The time of this backup could not be stored in the database (%s), so that administrators may be told that a backup is overdue.\n", oneLine(err))
	}
	fmt.Fprintf(std.err, "%s is a complete copy of %s, checked and on disk: %s.\n", c.File, at, describeContents(held))
	if encrypted {
		fmt.Fprintf(std.err, "The secrets in it are encrypted. Their key is not in it: keep a copy of %s too, and not beside the backup.\n", at.key)
	} else {
		fmt.Fprintln(std.err, "The secrets of webhooks and platforms in it are not encrypted: keep it where nobody else can read it.")
	}
	return nil
}

type restoreCommand struct {
	File string `arg:"" name:"FILE" help:"What bookhook backup wrote."`
}

// Run puts a backup in the place of the database.
func (c restoreCommand) Run(ctx context.Context, std streams, at database) error {
	held, err := db.Check(ctx, c.File)
	switch {
	case ctx.Err() != nil:
		return errors.New("interrupted; nothing is restored")
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no backup %s", c.File)
	case err != nil:
		return err
	}
	encrypted, err := checkKey(ctx, at, c.File)
	if err != nil {
		return err
	}
	if err := c.restore(ctx, std, at); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is restored from %s: %s. What the backup has as waiting is sent again when Bookhook starts, "+
		"even if it was delivered since; receivers recognise it by its webhook-id.\n", at, c.File, describeContents(held))
	if !encrypted && at.key != "" {
		fmt.Fprintln(std.err, "The secrets in it are not encrypted yet; Bookhook encrypts them when it starts with this key.")
	}
	return nil
}

func (c restoreCommand) restore(ctx context.Context, std streams, at database) error {
	if db.OnServer(string(at.path)) {
		done, err := db.RestoreTo(ctx, absolute(databasePath(c.File)), string(at.path), progressTo(std.err))
		return afterCopy(ctx, std, done, err)
	}
	kept, err := db.Restore(ctx, c.File, string(at.path), time.Now())
	if kept != "" {
		fmt.Fprintf(std.err, "The database that was there is kept as %s.\n", kept)
	}
	return err
}

type moveCommand struct {
	To databasePath `required:"" placeholder:"PATH|URL" help:"Where it goes: a new SQLite file, or an empty database of PostgreSQL."`
}

// Run copies the database into one of the other kind, or goes on with that.
func (c moveCommand) Run(ctx context.Context, std streams, at database) error {
	err := c.move(ctx, std, at)
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// errInterrupted is what a copy between two kinds of databases ends with after a signal.
var errInterrupted = errors.New("interrupted; run the same command again to go on from here")

func (c moveCommand) move(ctx context.Context, std streams, at database) error {
	from, to := string(at.path), string(c.To)
	if db.OnServer(from) == db.OnServer(to) {
		return usageError("--to: " + db.Name(to) + " is of the same kind as " + at.String() + "; move goes from SQLite to PostgreSQL or back, and bookhook backup copies")
	}
	if _, err := os.Stat(from); errors.Is(err, fs.ErrNotExist) && !db.OnServer(from) { // a lock would leave a file behind
		return noDatabase(at)
	}
	encrypted, err := checkKey(ctx, at, from)
	if err != nil {
		return err
	}
	if !db.OnServer(from) {
		from = absolute(at.path) // as it is called when this goes on from another folder
	}
	done, err := db.Move(ctx, from, to, progressTo(std.err))
	if errors.Is(err, fs.ErrNotExist) {
		return noDatabase(at)
	}
	if err := afterCopy(ctx, std, done, err); err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s has everything that %s has, verified by reading it again: %s.\n", db.Name(to), at, describeRows(done.Rows))
	fmt.Fprintf(std.err, "From now on start Bookhook with it as --database. %s is as it was; do not start Bookhook with it any more, which would send what is waiting from there as well.\n", at)
	if encrypted {
		fmt.Fprintf(std.err, "The secrets in it are encrypted with the same key (%s).\n", at.key)
	}
	return nil
}

// afterCopy says what there is to say of a copy between two kinds of databases.
func afterCopy(ctx context.Context, std streams, done db.Copied, err error) error {
	if err != nil && ctx.Err() != nil {
		return errInterrupted
	}
	if err == nil && done.Replaced > 0 {
		fmt.Fprintf(std.err, "%d texts have characters that PostgreSQL cannot store (NUL, or bytes that are no UTF-8), which are \uFFFD there.\n", done.Replaced)
	}
	return err
}

// progressEvery is how often the progress of a copy is printed.
const progressEvery = 10 * time.Second

// progressTo returns what prints the progress of a copy that takes long.
func progressTo(to io.Writer) func(db.Progress) {
	last := time.Now()
	return func(p db.Progress) {
		if time.Since(last) < progressEvery {
			return
		}
		last = time.Now()
		what := "copying"
		if p.Verifying {
			what = "verifying"
		}
		fmt.Fprintf(to, "%s %s: %d rows so far\n", what, p.Table, p.Rows)
	}
}

func describeRows(rows map[string]int64) string {
	var total int64
	for _, n := range rows {
		total += n
	}
	return fmt.Sprintf("%d accounts, %d webhooks, %d events, %d deliveries, %d attempts; %d rows in all",
		rows["accounts"], rows["webhooks"], rows["events"], rows["deliveries"], rows["attempts"], total)
}

// checkKey reports whether the secrets in a database, or in a backup of it, are
// encrypted, and fails if the key is not the right one.
func checkKey(ctx context.Context, at database, path string) (encrypted bool, err error) {
	key, err := at.key.read()
	if err != nil {
		return false, err
	}
	return db.CheckKey(ctx, path, key)
}

func describeContents(c db.Contents) string {
	text := fmt.Sprintf("%d accounts, %d webhooks, %d events, %d attempts, %d deliveries waiting, %.1f MB",
		c.Accounts, c.Webhooks, c.Events, c.Attempts, c.Waiting, float64(c.Bytes)/1e6)
	if !c.Newest.IsZero() {
		text += ", the newest event of " + c.Newest.UTC().Format(time.RFC3339)
	}
	return text
}
