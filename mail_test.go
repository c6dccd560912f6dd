package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bookhook/mail/smtptest"
)

// TestDoctorChecksMail: it signs in and sends nothing, and says what is wrong.
func TestDoctorChecksMail(t *testing.T) {
	server := smtptest.Start(t, smtptest.Options{Password: "geheim"})
	address := server.Host + ":" + server.Port
	database := filepath.Join(t.TempDir(), "bookhook.db")
	launch(t, "--listen", "127.0.0.1:0", "--database", database).stop()
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte("smtp://bookhook:geheim@"+address+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		flags []string
		code  int
		want  string
	}{
		{nil, 0, "ok     mail: none is sent, since there is no --mail"},
		{[]string{"--mail-file", file}, 0, "ok     mail: the server " + address + " answers, without encryption, and the sign-in works; "},
		{[]string{"--mail", "smtp://bookhook:guess@" + address}, 1, "wrong  mail: The mail server " + address + " refused the sign-in: “535"},
		{[]string{"--mail-file", file + "x"}, 1, "wrong  mail: read --mail-file: open " + file + "x"},
	} {
		args := append([]string{"doctor", "--listen", "127.0.0.1:0", "--database", database}, c.flags...)
		if c.flags != nil {
			args = append(args, "--mail-from", "bookhook@example.com")
		}
		code, out, _ := do(t, "", args...)
		if code != c.code || !strings.Contains(out, c.want) || strings.Contains(out, "geheim") || strings.Contains(out, "guess") {
			t.Errorf("%v: got exit %d, %s, want %d and %q", c.flags, code, out, c.code, c.want)
		}
	}
	if len(server.Messages) != 0 {
		t.Error("doctor sent a message")
	}
}

// TestServeReadsMailFile: a file that has no URL ends serve with a clear line.
func TestServeReadsMailFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, []byte("smtp://bookhook:geheim"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, _, said := do(t, "", "serve", "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "x.db"), "--mail-file", file, "--mail-from", "bookhook@example.com")
	if code != 1 || !strings.HasPrefix(said, "bookhook: the file of --mail-file, "+file+": ") || strings.Contains(said, "geheim") {
		t.Errorf("got exit %d, %s", code, said)
	}
}
