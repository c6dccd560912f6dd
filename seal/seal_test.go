package seal

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var somewhere = Place{Table: "webhooks", Column: "secret", Row: "4069/1"}

func newKey(tb testing.TB) *Key {
	tb.Helper()
	key, err := ParseKey(NewKey())
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func TestSealAndOpen(t *testing.T) {
	key := newKey(t)
	for _, text := range []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "ü 🎟", "\x00", strings.Repeat("long", 100_000)} {
		sealed := key.Seal(text, somewhere)
		if !strings.HasPrefix(sealed, Prefix) || strings.Contains(sealed, text) || strings.ContainsAny(sealed, "\"\\\n ") {
			t.Errorf("sealed %.50q is %.50q", text, sealed)
		}
		if again := key.Seal(text, somewhere); again == sealed {
			t.Errorf("sealed %.50q is the same twice", text)
		}
		if got, err := key.Open(sealed, somewhere); got != text || err != nil {
			t.Errorf("got %.50q, %v, want %.50q", got, err, text)
		}
	}
}

// TestOpenRefuses: what was not sealed with this key for this place, exactly so, is
// not opened; and the error does not show it.
func TestOpenRefuses(t *testing.T) {
	key := newKey(t)
	const secret = "whsec_secret"
	sealed := key.Seal(secret, somewhere)
	for name, text := range map[string]string{
		"plain":         secret,
		"another key":   newKey(t).Seal(secret, somewhere),
		"account":       key.Seal(secret, Place{"webhooks", "secret", "4070/1"}),
		"row":           key.Seal(secret, Place{"webhooks", "secret", "4069/2"}),
		"column":        key.Seal(secret, Place{"webhooks", "old_secret", "4069/1"}),
		"table":         key.Seal(secret, Place{"drafts", "secret", "4069/1"}),
		"other parts":   key.Seal(secret, Place{"webhookssecret", "", "4069/1"}),
		"other format":  strings.Replace(sealed, Prefix, "sealed2:", 1),
		"no base64":     sealed + "!",
		"truncated":     sealed[:len(sealed)-4],
		"nothing in it": Prefix,
		"a bit changed": sealed[:len(sealed)-2] + string(sealed[len(sealed)-2]^1) + sealed[len(sealed)-1:],
	} {
		got, err := key.Open(text, somewhere)
		if err == nil || got != "" || strings.Contains(err.Error(), secret) {
			t.Errorf("%s: got %q, %v, want an error", name, got, err)
		}
	}
}

func TestNoKey(t *testing.T) {
	var none *Key
	for _, text := range []string{"", "whsec_secret", Prefix + "what somebody typed"} {
		if got := none.Seal(text, somewhere); got != text {
			t.Errorf("got %q sealed, want %q", got, text)
		}
		if got, err := none.Open(text, somewhere); got != text || err != nil {
			t.Errorf("got %q, %v opened, want %q", got, err, text)
		}
	}
	key := newKey(t)
	if got := key.Seal("", somewhere); got != "" {
		t.Errorf("got %q for no secret, want nothing", got)
	}
	if got, err := key.Open("", somewhere); got != "" || err != nil {
		t.Errorf("got %q, %v for no secret, want nothing", got, err)
	}
}

func TestReadKey(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	text := NewKey()
	if raw, err := base64.StdEncoding.DecodeString(text); len(raw) != 32 || err != nil {
		t.Errorf("got a new key of %d bytes (%v), want 32", len(raw), err)
	}
	for content, want := range map[string]string{
		text: "", text + "\n": "", text + "\r\n": "",
		"": "is no secret key", text[:40]: "is no secret key", text + text: "is no secret key", "hunter2\n": "is no secret key",
		base64.StdEncoding.EncodeToString(make([]byte, 16)): "is no secret key", strings.Repeat(text+"\n", 1000): "is no secret key",
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		key, err := ReadKey(path)
		if want == "" && (err != nil || key == nil) {
			t.Errorf("%.60q: got error %v", content, err)
		}
		if want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "hunter2")) {
			t.Errorf("%.60q: got error %v, want %q and the path", content, err, want)
		}
	}
	for path, want := range map[string]string{filepath.Join(dir, "none"): "there is no secret key file", dir: "cannot be read"} {
		if _, err := ReadKey(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: got error %v, want %q", path, err, want)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	key := newKey(b)
	sealed := key.Seal("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", somewhere)
	for b.Loop() {
		if _, err := key.Open(sealed, somewhere); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzParseKey wants that one text and no other is a key, but for space around it,
// and that the error keeps the text to itself.
func FuzzParseKey(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
	f.Add("\t//////////////////////////////////////////8=\r\n")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=")
	f.Add("AAAAAAAAAAAAAAAAAAAAA\nAAAAAAAAAAAAAAAAAAAAAA=")
	f.Add("hunter2")
	f.Fuzz(func(t *testing.T, text string) {
		key, err := ParseKey(text)
		if err != nil {
			if _, other := ParseKey(""); key != nil || err.Error() != other.Error() {
				t.Errorf("got %v, %v", key, err)
			}
			return
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
		if err != nil || len(raw) != keySize || base64.StdEncoding.EncodeToString(raw) != strings.TrimSpace(text) {
			t.Errorf("%q is a key", text)
		}
	})
}

// FuzzOpen wants that what was sealed opens, and that nothing else does: neither what
// somebody wrote, nor what was sealed with anything in it changed.
func FuzzOpen(f *testing.F) {
	f.Add("whsec_secret", "sealed1:AAAA", "4069/1", uint16(9))
	f.Add("", "", "", uint16(0))
	f.Add("\x00ü\xff", Prefix, "4069/1", uint16(0))
	f.Add("x", Prefix+"!", "4069/2", uint16(65535))
	key := newKey(f)
	f.Fuzz(func(t *testing.T, text, written, row string, at uint16) {
		sealed := key.Seal(text, somewhere)
		if got, err := key.Open(sealed, somewhere); got != text || err != nil {
			t.Errorf("%q opens as %q, %v", text, got, err)
		}
		changed := []byte(sealed)
		if len(changed) > 0 {
			changed[int(at)%len(changed)] ^= 1
		}
		elsewhere := somewhere
		elsewhere.Row = row
		for box, place := range map[string]Place{written: somewhere, string(changed): somewhere, sealed: elsewhere} {
			if box == "" || box == sealed && place == somewhere {
				continue
			}
			if got, err := key.Open(box, place); err == nil || got != "" {
				t.Errorf("%q of %v opens as %q", box, place, got)
			}
		}
	})
}
