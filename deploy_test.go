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

// TestDeployedSettings: what docs/deploy sets is there to be set. Whether the files are valid is tested below, and in
// docs/deploy/check.
func TestDeployedSettings(t *testing.T) {
	help := must(t, "", "serve", "--help") + " BOOKHOOK_DOMAIN " // a variable of compose.yaml
	for _, file := range []string{"bookhook.service", "compose.yaml", "kubernetes.yaml", "Caddyfile"} {
		text, err := os.ReadFile(filepath.Join("docs/deploy", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range regexp.MustCompile(`\bBOOKHOOK_[A-Z_]+`).FindAllString(string(text), -1) {
			if !strings.Contains(help, name) {
				t.Errorf("%s: there is no %s", file, name)
			}
		}
	}
}

// TestCaddyfile: Caddy accepts it.
func TestCaddyfile(t *testing.T) {
	tool, err := exec.LookPath("caddy")
	if err != nil {
		t.Skip("caddy is not installed")
	}
	caddy := exec.Command(tool, "validate", "--adapter", "caddyfile", "--config", "docs/deploy/Caddyfile")
	caddy.Env = append(os.Environ(), "BOOKHOOK_DOMAIN=hooks.example.com", "HOME="+t.TempDir())
	if out, err := caddy.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

// TestSystemdUnit: the unit is valid and confines Bookhook.
func TestSystemdUnit(t *testing.T) {
	unit, err := os.ReadFile("docs/deploy/bookhook.service")
	if err != nil {
		t.Fatal(err)
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
