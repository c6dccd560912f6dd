package power

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

const root = "../.."

// sources are files that the build has instead of those in the working tree, by their path from the root.
type sources map[string][]byte

// build makes the binary from the working tree, with some other sources.
func build(folder, name string, other sources) (string, error) {
	path := filepath.Join(folder, name)
	overlay, err := other.overlay(path)
	if err != nil {
		return "", err
	}
	cmd := exec.Command("go", "build", "-buildvcs=false", "-pgo=off", "-o", path, "-overlay", overlay, ".")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
}

// overlay writes the file of this name that "go build" wants.
func (s sources) overlay(path string) (string, error) {
	replace := map[string]string{}
	for name, content := range s {
		source, err := filepath.Abs(filepath.Join(root, name))
		if err != nil {
			return "", err
		}
		replace[source] = path + "-" + filepath.Base(name)
		if err := os.WriteFile(replace[source], content, 0o600); err != nil {
			return "", err
		}
	}
	table, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	return path + "-overlay.json", os.WriteFile(path+"-overlay.json", table, 0o600)
}

const checkpoints = "db/sqlite/checkpoint.go"

var limits = regexp.MustCompile(`(checkpointPages\s*=) 20_000\b|(remainingPages\s*=) 400\b`)

// often has a checkpoint made after some hundred pages instead of 20,000. That is the only difference: with it a short
// recording has many checkpoints, and its files are small.
func often() (sources, error) {
	text, err := os.ReadFile(filepath.Join(root, checkpoints))
	if err != nil {
		return nil, err
	}
	if n := len(limits.FindAll(text, -1)); n != 2 {
		return nil, fmt.Errorf("%s has %d of the 2 limits that are to be lowered", checkpoints, n)
	}
	return sources{checkpoints: limits.ReplaceAll(text, []byte("${1}${2} 160"))}, nil
}

// nextMigration is one that no release has: each kind of change that SQLite knows.
func nextMigration() sources {
	return sources{"db/sqlite/migrations/99999_power.sql": []byte(`-- +goose Up
ALTER TABLE deliveries ADD COLUMN power INTEGER NOT NULL DEFAULT 7;
CREATE INDEX events_power ON events (account_id, external_id, id);
CREATE TABLE power (id INTEGER PRIMARY KEY, note TEXT NOT NULL) STRICT;
INSERT INTO power (id, note) SELECT id, hex(randomblob(1500)) FROM deliveries;
UPDATE deliveries SET power = 8;
`)}
}
