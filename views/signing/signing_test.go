package signing_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/views/signing"
	"bookhook/webhook"
)

// attempt is a request that a receiver gets, and whether it is from Bookhook.
type attempt struct {
	Name    string            `json:"-"`
	Genuine bool              `json:"-"`
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

const (
	messageID = "dlv_02gtcfw2k0400"
	body      = `{"booking_id":"1234","customer":"O’Brien 🚤"}`
)

// signed are the headers of a request, signed as Bookhook signs.
func signed(t *testing.T, at time.Time, body string, secrets ...string) map[string]string {
	t.Helper()
	signature, err := webhook.Sign(secrets, messageID, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]string{"webhook-id": messageID, "webhook-timestamp": strconv.FormatInt(at.Unix(), 10), "webhook-signature": signature}
}

func attempts(t *testing.T) []attempt {
	t.Helper()
	now, secret, other := time.Now(), webhook.NewSecret(), webhook.NewSecret()
	const query = "event=cancelled&account_name=Sea%20%26%20Sun&booking_id=1234"
	all := []attempt{
		{"right", true, secret, signed(t, now, body, secret), body},
		{"the query string of a GET", true, secret, signed(t, now, query, secret), query},
		{"an empty body", true, secret, signed(t, now, "", secret), ""},
		{"four minutes old", true, secret, signed(t, now.Add(-4*time.Minute), body, secret), body},
		{"four minutes ahead", true, secret, signed(t, now.Add(4*time.Minute), body, secret), body},
		{"the second of two signatures", true, secret, signed(t, now, body, other, secret), body},
		{"the first of two signatures", true, secret, signed(t, now, body, secret, other), body},
		{"another body", false, secret, signed(t, now, body, secret), body + " "},
		{"another secret", false, other, signed(t, now, body, secret), body},
		{"six minutes old", false, secret, signed(t, now.Add(-6*time.Minute), body, secret), body},
		{"six minutes ahead", false, secret, signed(t, now.Add(6*time.Minute), body, secret), body},
		{"no headers", false, secret, map[string]string{}, body},
		{"no secret", false, "", signedWithEmptyKey(now), body},
		{"an empty secret", false, "whsec_", signedWithEmptyKey(now), body},
	}
	for header, values := range map[string][]string{
		"webhook-id": {"", "dlv_0", "é\U0001f6a4"},
		"webhook-timestamp": {
			"", "soon", " ", "0", "-1", "NaN", "1e9", "0x5f", "1_000", "١٢٣", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
			strings.Repeat("9", 5000),
		},
		"webhook-signature": {"", " ", ",", "v1", "v1,", "v1, ", "v1,é\U0001f6a4", "v1,not base64!", "v2,", strings.Repeat("v1,x ", 1000)},
	} {
		missing := signed(t, now, body, secret)
		delete(missing, header)
		all = append(all, attempt{"without " + header, false, secret, missing, body})
		for _, value := range values {
			wrong := signed(t, now, body, secret)
			wrong[header] = value
			all = append(all, attempt{header + " " + strconv.Quote(webhook.Truncate(value, 40)), false, secret, wrong, body})
		}
	}
	bare := signed(t, now, body, secret)
	bare["webhook-signature"] = strings.TrimPrefix(bare["webhook-signature"], "v1,")
	return append(all, attempt{"a signature without its version", false, secret, bare, body})
}

// signedWithEmptyKey are headers that anybody can make, for a receiver that has lost its secret.
func signedWithEmptyKey(at time.Time) map[string]string {
	seconds := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, nil)
	mac.Write([]byte(messageID + "." + seconds + "." + body))
	return map[string]string{
		"webhook-id": messageID, "webhook-timestamp": seconds,
		"webhook-signature": "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)),
	}
}

// runners run an example on attempts; each returns what the example said, a line each.
var runners = map[string]func(t *testing.T, all []attempt) string{
	"php": func(t *testing.T, all []attempt) string {
		return run(t, asJSON(t, all), "php", "testdata/run.php", "verify.php")
	},
	"javascript": func(t *testing.T, all []attempt) string {
		return run(t, asJSON(t, all), "node", "testdata/run.mjs", "../verify.mjs")
	},
	"python": func(t *testing.T, all []attempt) string {
		return run(t, asJSON(t, all), "python3", "testdata/run.py", "verify.py")
	},
	"go":     runGo,
	"csharp": runCSharp,
	"java":   runJava,
}

func TestExamples(t *testing.T) {
	all := attempts(t)
	for _, e := range signing.Examples {
		t.Run(e.Key, func(t *testing.T) {
			t.Parallel()
			got := strings.Fields(runners[e.Key](t, all))
			if len(got) != len(all) {
				t.Fatalf("got %d answers to %d requests", len(got), len(all))
			}
			for i, a := range all {
				if want := strconv.FormatBool(a.Genuine); got[i] != want {
					t.Errorf("%s: got %s, want %s", a.Name, got[i], want)
				}
			}
		})
	}
}

func asJSON(t *testing.T, all []attempt) []byte {
	t.Helper()
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// asLines are the attempts for languages whose standard library has no JSON: see testdata/Run.java.
func asLines(all []attempt) []byte {
	var lines bytes.Buffer
	for _, a := range all {
		parts := []string{encoded(a.Secret)}
		for _, name := range []string{"webhook-id", "webhook-timestamp", "webhook-signature"} {
			if value, ok := a.Headers[name]; ok {
				parts = append(parts, encoded(value))
			} else {
				parts = append(parts, "-")
			}
		}
		lines.WriteString(strings.Join(append(parts, encoded(a.Body)), " ") + "\n")
	}
	return lines.Bytes()
}

func encoded(text string) string { return "=" + base64.StdEncoding.EncodeToString([]byte(text)) }

// run runs a program, and skips the test if it is not installed.
func run(t *testing.T, stdin []byte, program string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(program); err != nil {
		t.Skipf("%s is not installed", program)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", program, err, out, &stderr)
	}
	return string(out)
}

func runGo(_ *testing.T, all []attempt) string {
	var out strings.Builder
	for _, a := range all {
		header := http.Header{}
		for name, value := range a.Headers {
			header.Set(name, value)
		}
		out.WriteString(strconv.FormatBool(signing.Verify(a.Secret, header, []byte(a.Body))) + "\n")
	}
	return out.String()
}

func runJava(t *testing.T, all []attempt) string {
	dir := t.TempDir()
	run(t, nil, "javac", "-encoding", "UTF-8", "-d", dir, "Bookhook.java", "testdata/Run.java")
	return run(t, asLines(all), "java", "-cp", dir, "Run")
}

// runCSharp compiles with Mono, or else builds a project around the example for the newest .NET that is installed.
func runCSharp(t *testing.T, all []attempt) string {
	dir := t.TempDir()
	if _, err := exec.LookPath("mcs"); err == nil {
		program := filepath.Join(dir, "verify.exe")
		run(t, nil, "mcs", "-out:"+program, "Verify.cs", "testdata/Run.cs")
		return run(t, asLines(all), "mono", program)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	major, _, _ := strings.Cut(run(t, nil, "dotnet", "--version"), ".")
	project := fmt.Sprintf(`<Project Sdk="Microsoft.NET.Sdk">
		<PropertyGroup><OutputType>Exe</OutputType><TargetFramework>net%s.0</TargetFramework></PropertyGroup>
		<ItemGroup><Compile Include="%[2]s/Verify.cs;%[2]s/testdata/Run.cs"/></ItemGroup></Project>`, major, here)
	if err := os.WriteFile(filepath.Join(dir, "verify.csproj"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	return run(t, asLines(all), "dotnet", "run", "--project", dir)
}

// What is shown and documented is what is tested.
func TestCode(t *testing.T) {
	var shown []string
	for _, e := range signing.Examples {
		if text := e.Code(); len(text) < 500 || strings.Contains(text, "\t\t\t\t\t") {
			t.Errorf("%s: got %d bytes", e.Language, len(text))
		}
		shown = append(shown, e.File)
	}
	found, err := filepath.Glob("*")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range found {
		if name != "signing.go" && name != "signing_test.go" && name != "testdata" && !slices.Contains(shown, name) {
			t.Errorf("%s is not shown", name)
		}
	}
}
