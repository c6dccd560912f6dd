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
func (c backupCommand) Run(ctx context.Context, std streams, path databasePath) error {
	err := db.Backup(ctx, string(path), c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return noDatabase(path)
	}
	if err != nil {
		return err
	}
	held, err := db.Check(ctx, c.File)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is a complete copy of %s, checked and on disk: %s.\n", c.File, path, describeContents(held))
	return nil
}

type restoreCommand struct {
	File string `arg:"" name:"FILE" help:"What bookhook backup wrote."`
}

// Run puts a backup in the place of the database.
func (c restoreCommand) Run(ctx context.Context, std streams, path databasePath) error {
	held, err := db.Check(ctx, c.File)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no backup %s", c.File)
	}
	if err != nil {
		return err
	}
	kept, err := db.Restore(ctx, c.File, string(path), time.Now())
	if kept != "" {
		fmt.Fprintf(std.err, "The database that was there is kept as %s.\n", kept)
	}
	if err != nil {
		return err
	}
	fmt.Fprintf(std.err, "%s is restored from %s: %s. What the backup has as waiting is sent again when Bookhook starts, "+
		"even if it was delivered since; receivers recognise it by its webhook-id.\n", path, c.File, describeContents(held))
	return nil
}

func describeContents(c db.Contents) string {
	text := fmt.Sprintf("%d accounts, %d webhooks, %d events, %d attempts, %d deliveries waiting, %.1f MB",
		c.Accounts, c.Webhooks, c.Events, c.Attempts, c.Waiting, float64(c.Bytes)/1e6)
	if !c.Newest.IsZero() {
		text += ", the newest event of " + c.Newest.UTC().Format(time.RFC3339)
	}
	return text
}
