package pages

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"bookhook/messages"
	"bookhook/webhook"
)

func TestReadCSV(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []webhook.Item
	}{
		{"plain", "12,City Walk\n15,Night Walk", []webhook.Item{{ID: "12", Name: "City Walk"}, {ID: "15", Name: "Night Walk"}}},
		{"heading", "ID,Name\n12,City Walk\n", []webhook.Item{{ID: "12", Name: "City Walk"}}},
		{"byte order mark and line ends of Windows", "\ufeffid,name\r\n12,City Walk\r\n\r\n", []webhook.Item{{ID: "12", Name: "City Walk"}}},
		{"semicolons", "id;name\n12;Walk, by night\n", []webhook.Item{{ID: "12", Name: "Walk, by night"}}},
		{"pasted cells", "12\tCity \"Old Town\" Walk", nil},
		{"quotes", `12,"Walk, ""by night"""`, []webhook.Item{{ID: "12", Name: `Walk, "by night"`}}},
		{"a quoted line break", "id,name\n12,\"City Walk,\nby night\"\n15,\"Bell\r\nTour\"\n16,Kayak", []webhook.Item{{ID: "12", Name: "City Walk, by night"}, {ID: "15", Name: "Bell Tour"}, {ID: "16", Name: "Kayak"}}},
		{"spaces and emoji", " 12 ,  Öökõnd 🌙 ", []webhook.Item{{ID: "12", Name: "Öökõnd 🌙"}}},
		{"an id that is called id-1", "id-1,First", []webhook.Item{{ID: "id-1", Name: "First"}}},
	} {
		got, form := readCSV(c.text)
		if c.want == nil {
			if len(form.Lines) != 1 {
				t.Errorf("%s: got %+v, want one line problem", c.name, form)
			}
			continue
		}
		if !form.Problem.IsZero() || len(form.Lines) > 0 || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v %+v, want %v", c.name, got, form, c.want)
		}
	}
}

func TestReadCSVNamesEachBadLine(t *testing.T) {
	t.Parallel()
	text := "id,name\n12,City Walk\n,Nameless\n13\n14,\"open\n12,Again\n15,Bell\a\n16,a,b\n17;Night Bus"
	_, form := readCSV(text)
	want := map[int]string{
		3: "Enter the id", 4: "this one has 1", 5: "quotes", 6: "already on line 2", 7: "control characters", 8: "this one has 3", 9: "17,Night Bus",
	}
	if len(form.Lines) != len(want) {
		t.Fatalf("got %+v, want %d lines", form.Lines, len(want))
	}
	for _, problem := range form.Lines {
		if !strings.Contains(messages.Text(problem.Problem), want[problem.Line]) || want[problem.Line] == "" {
			t.Errorf("line %d: got %q, want something with %q", problem.Line, messages.Text(problem.Problem), want[problem.Line])
		}
	}
	if _, form := readCSV("12,\"City\nWalk\"\n12,Again"); len(form.Lines) != 1 || form.Lines[0].Line != 3 || form.Lines[0].Text != "12,Again" {
		t.Errorf("after a line break: got %+v, want line 3", form.Lines)
	}
	if form.Text != text {
		t.Errorf("typed text: got %q, want it kept", form.Text)
	}
}

func TestReadCSVLimits(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for i := range maxImport {
		fmt.Fprintf(&b, "%d,Tour %d\n", i, i)
	}
	if items, form := readCSV(b.String()); len(items) != maxImport || !form.Problem.IsZero() {
		t.Errorf("%d rows: got %d and %q", maxImport, len(items), form.Problem)
	}
	b.WriteString("last,One too many\n")
	for text, want := range map[string]string{
		b.String():                       "at most 10000",
		"":                               "nothing in this list",
		"\n \n":                          "nothing in this list",
		"id,name\n":                      "nothing in this list",
		"12,caf\xe9":                     "UTF-8",
		strings.Repeat("x\n", 60) + "y,": "61 lines",
	} {
		if _, form := readCSV(text); !strings.Contains(messages.Text(form.Problem), want) {
			t.Errorf("%.20q: got %q, want something with %q", text, form.Problem, want)
		}
	}
}

func FuzzReadCSV(f *testing.F) {
	f.Add("id,name\n12,City Walk")
	f.Add("\ufeff12;\"a;b\"\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		items, form := readCSV(text)
		if !form.Problem.IsZero() || len(form.Lines) > 0 {
			for _, shown := range []string{form.Text, messages.Text(form.Problem), fmt.Sprint(form.Lines)} {
				if !utf8.ValidString(shown) {
					t.Errorf("%q: %q is not UTF-8", text, shown)
				}
			}
			return
		}
		if len(items) == 0 || len(items) > maxImport || len(items) > strings.Count(text, "\n")+1 {
			t.Errorf("accepted %d items of %d lines", len(items), strings.Count(text, "\n")+1)
		}
		for _, item := range items {
			if kept, problems := webhook.CheckItem(item); len(problems) > 0 || kept != item {
				t.Errorf("accepted %+v: %v", item, problems)
			}
		}
	})
}
