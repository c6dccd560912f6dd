package messages_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/messages"
	"bookhook/platforms/all"
	"bookhook/platforms/harbour"
	"bookhook/webhook"
)

func TestText(t *testing.T) {
	for _, tt := range []struct {
		message webhook.Message
		want    string
	}{
		{webhook.Message{}, ""},
		{webhook.NewMessage("text.too_long", 100), "Use at most 100 characters."},
		{webhook.NewMessage("url.host", "100 %s"), "“100 %s” is not a host name; check its spelling."},
		{
			webhook.NewMessage("refs.tour", "12\x00").Because(webhook.NewMessage("ref.control_characters")),
			"The id of the tour, “12\x00”, cannot be stored. Use letters, digits and signs only, no control characters.",
		},
		{webhook.NewMessage("of.tomorrow", 1, "two"), "of.tomorrow (1, two)"},
	} {
		if got := messages.Text(tt.message); got != tt.want {
			t.Errorf("%v: got %q, want %q", tt.message, got, tt.want)
		}
	}
}

func TestRender(t *testing.T) {
	more := messages.Texts{"harbour.closed": "The harbour is closed (%s)."}
	got := messages.Render(webhook.NewMessage("harbour.closed").Because(webhook.NewMessage("database.full")), more)
	if want := "The harbour is closed (The disk that holds Bookhook's database is full.)."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestCodes holds every code that the program makes a message of against the
// texts: it has one, with a place for each argument.
func TestCodes(t *testing.T) {
	checked := 0
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && name != ".." && strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" {
			return cmp(err, fs.SkipDir)
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			return err
		}
		for _, use := range uses(file) {
			checked++
			if got := verbs(use.code); got != use.args {
				t.Errorf("%s: %s has %d arguments, its text has %d places (-1: there is no text)", set.Position(use.at), use.code, use.args, got)
			}
		}
		return nil
	})
	if err != nil || checked < 50 {
		t.Errorf("%v; checked %d codes, want all there are", err, checked)
	}
}

func cmp(err, otherwise error) error {
	if err != nil {
		return err
	}
	return otherwise
}

// use is one message that the program makes.
type use struct {
	code string
	args int // its cause included
	at   token.Pos
}

// makers are the functions that take a code and its arguments, with the place of
// the code among theirs.
var makers = map[string]int{"NewMessage": 0, "BadRequest": 0, "BadSignature": 0, "BadType": 0, "UnknownEvent": 0, "Add": 1, "Wrong": 1, "wrong": 1}

func uses(file *ast.File) []use {
	var found []use
	caused := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := ""
		switch f := call.Fun.(type) {
		case *ast.Ident:
			name = f.Name
		case *ast.SelectorExpr:
			name = f.Sel.Name
			if name == "Because" {
				caused[f.X] = true
			}
		}
		at, ok := makers[name]
		if !ok || len(call.Args) <= at || call.Ellipsis.IsValid() {
			return true
		}
		literal, ok := call.Args[at].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		code, _ := strconv.Unquote(literal.Value)
		args := len(call.Args) - at - 1
		if caused[call] {
			args++
		}
		if strings.Contains(code, ".") && !strings.Contains(code, " ") {
			found = append(found, use{code, args, literal.Pos()})
		}
		return true
	})
	return found
}

// verbs counts the places of a code's text; -1 when there is none.
func verbs(code string) int {
	const mark = "\x01"
	for n := range 8 {
		m := webhook.Message{Code: code, Args: slices.Repeat([]string{mark}, n)}
		text := append(all.Platforms(), harbour.Platform()).Text(m)
		if text == m.Error() {
			return -1
		}
		if !strings.Contains(text, "%!") && strings.Count(text, mark) == n {
			return n
		}
	}
	return -1
}

// FuzzStored wants that a message is stored as it is, and that whatever is stored,
// by an older or newer Bookhook, is shown with what it says.
func FuzzStored(f *testing.F) {
	for _, text := range []string{
		`{}`, `{"code":"url.missing"}`, `{"code":"text.too_long","args":["100"]}`, `{"code":"text.too_long"}`, `{"code":"text.too_long","args":["1","2"]}`,
		`{"code":"%s %d","args":["%!x"]}`, `{"code":"a","cause":{"code":"b","cause":{"code":"url.missing"}}}`, `{"code":"lookup.blocked","args":["1"],"cause":null}`, `{"code":1}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, stored []byte) {
		var m webhook.Message
		if json.Unmarshal(stored, &m) != nil {
			return
		}
		text, err := json.Marshal(m)
		var again webhook.Message
		if err != nil || json.Unmarshal(text, &again) != nil || again.Error() != m.Error() {
			t.Errorf("%v is stored as %s (%v), and read as %v", m, text, err, again)
		}
		shown := messages.Text(m)
		if !utf8.ValidString(shown) || (shown == "") != m.IsZero() {
			t.Errorf("%v is shown as %q", m, shown)
		}
	})
}
