package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestSystemdUnit: the unit is valid, confines Bookhook, and has settings that there are.
func TestSystemdUnit(t *testing.T) {
	unit, err := os.ReadFile("docs/deploy/bookhook.service")
	if err != nil {
		t.Fatal(err)
	}
	help := must(t, "", "serve", "--help")
	for _, name := range regexp.MustCompile(`\bBOOKHOOK_[A-Z_]+`).FindAllString(string(unit), -1) {
		if !strings.Contains(help, name) {
			t.Errorf("there is no %s", name)
		}
	}
	tool, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd is not installed")
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bookhook.service")
	if err := os.WriteFile(path, bytes.ReplaceAll(unit, []byte("ExecStart=/usr/local/bin/bookhook"), []byte("ExecStart="+program)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"verify", path}, {"security", "--offline=yes", "--threshold=20", path}} { // of 100
		if out, err := exec.Command(tool, args...).CombinedOutput(); err != nil {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
