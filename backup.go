package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"bookhook/db"
)

type backupCommand struct {
	File string `arg:"" name:"FILE" help:"The new file."`
}

// Run copies the database while Bookhook may be running.
func (c backupCommand) Run(ctx context.Context, std streams, at database) error {
	if err := at.mustBeFile("backup", "use pg_dump"); err != nil {
		return err
	}
	encrypted, err := checkKey(ctx, at, string(at.path))
	if err != nil {
		return err
	}
	err = db.Backup(ctx, string(at.path), c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return noDatabase(at)
	}
	if err != nil {
		return err
	}
	held, err := db.Check(ctx, c.File)
	if err != nil {
		return err
	}
	if err := db.RecordBackup(ctx, string(at.path), time.Now()); err != nil {
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
	if err := at.mustBeFile("restore", "use pg_restore"); err != nil {
		return err
	}
	held, err := db.Check(ctx, c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no backup %s", c.File)
	}
	if err != nil {
		return err
	}
	encrypted, err := checkKey(ctx, at, c.File)
	if err != nil {
		return err
	}
	kept, err := db.Restore(ctx, c.File, string(at.path), time.Now())
	if kept != "" {
		fmt.Fprintf(std.err, "The database that was there is kept as %s.\n", kept)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is restored from %s: %s. What the backup has as waiting is sent again when Bookhook starts, "+
		"even if it was delivered since; receivers recognise it by its webhook-id.\n", at, c.File, describeContents(held))
	if !encrypted && at.key != "" {
		fmt.Fprintln(std.err, "The secrets in it are not encrypted yet; Bookhook encrypts them when it starts with this key.")
	}
	return nil
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
