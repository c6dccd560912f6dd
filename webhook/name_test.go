package webhook_test

import (
	"strings"
	"testing"

	"bookhook/messages"
	"bookhook/webhook"
)

func TestCheckName(t *testing.T) {
	tests := []struct{ name, text, want, problem string }{
		{"plain", "Accounting", "Accounting", ""},
		{"outer space is taken off", " \tAccounting \n", "Accounting", ""},
		{"inner space stays", "Accounting  (new)", "Accounting  (new)", ""},
		{"emoji", "🎟 Tickets 👩‍👩‍👧", "🎟 Tickets 👩‍👩‍👧", ""},
		{"right to left", "حجز", "حجز", ""},
		{"markup is text", "<b>&amp;</b>", "<b>&amp;</b>", ""},
		{"100 characters", strings.Repeat("é", 100), strings.Repeat("é", 100), ""},
		{"100 emoji", strings.Repeat("🎟", 100), strings.Repeat("🎟", 100), ""},
		{"100 characters and outer space", strings.Repeat("é", 100) + " ", strings.Repeat("é", 100), ""},
		{"101 characters", strings.Repeat("é", 101), strings.Repeat("é", 101), "at most 100 characters"},
		{"empty", "", "", "Enter a name"},
		{"only space", " \u00a0\n", "", "Enter a name"},
		{"line break", "a\nb", "a\nb", "no control characters"},
		{"null", "a\x00b", "a\x00b", "no control characters"},
		{"escape", "\x1b[31mred", "\x1b[31mred", "no control characters"},
		{"next line", "a\u0085b", "a\u0085b", "no control characters"},
		{"invalid UTF-8", "a\xffb", "a\xffb", "Use letters"},
		{"flag of England", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f", ""},
		{"Persian, with a non-joiner", "می\u200cخواهم", "می\u200cخواهم", ""},
		{"zero width alone", "\u200b\u200d\u2060", "\u200b\u200d\u2060", "can be seen"},
		{"fillers alone", "\u3164\u115f\u2800", "\u3164\u115f\u2800", "can be seen"},
		{"direction override", "invoice\u202egnp.exe", "invoice\u202egnp.exe", "direction of writing"},
		{"isolate", "a\u2066b", "a\u2066b", "direction of writing"},
		{"line separator", "a\u2028b", "a\u2028b", "break the line"},
		{"byte order mark", "a\ufeffb", "a\ufeffb", "can be seen"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problem := webhook.CheckName(tt.text)
			if got != tt.want || !says(problem, tt.problem) {
				t.Errorf("got %q, problem %q, want %q, problem %q", got, problem, tt.want, tt.problem)
			}
		})
	}
}

// says reports whether the problem is the wanted one, given in part, or none.
func says(problem webhook.Message, want string) bool {
	text := messages.Text(problem)
	return (text == "") == (want == "") && strings.Contains(text, want)
}

func TestCheckRef(t *testing.T) {
	tests := []struct{ name, text, problem string }{
		{"none", "", ""},
		{"number", "3930", ""},
		{"text", "TOUR/12-a b,ü🎟", ""},
		{"100 characters", strings.Repeat("ü", 100), ""},
		{"101 characters", strings.Repeat("ü", 101), "at most 100 characters"},
		{"tab", "12\t", "no control characters"},
		{"invalid UTF-8", "\xff", "half of a character"},
		{"an unusual character", "x\ufffd", ""},
	}
	for _, tt := range tests {
		if got := webhook.CheckRef(tt.text); !says(got, tt.problem) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.problem)
		}
	}
}

func TestCheckItem(t *testing.T) {
	tests := []struct {
		name     string
		item     webhook.Item
		want     webhook.Item
		problems map[string]string
	}{
		{"plain", webhook.Item{ID: "12", Name: "Old town"}, webhook.Item{ID: "12", Name: "Old town"}, nil},
		{"outer space is taken off", webhook.Item{ID: " 12\r\n", Name: "\tOld town "}, webhook.Item{ID: "12", Name: "Old town"}, nil},
		{"emoji", webhook.Item{ID: "🎟", Name: "🎟"}, webhook.Item{ID: "🎟", Name: "🎟"}, nil},
		{"nothing", webhook.Item{ID: " "}, webhook.Item{}, map[string]string{"id": "Enter the id", "name": "Enter a name"}},
		{"space in the id", webhook.Item{ID: "1 2", Name: "x"}, webhook.Item{ID: "1 2", Name: "x"}, map[string]string{"id": "no spaces and no commas"}},
		{"hard space in the id", webhook.Item{ID: "1\u00a02", Name: "x"}, webhook.Item{ID: "1\u00a02", Name: "x"}, map[string]string{"id": "no spaces"}},
		{"comma in the id", webhook.Item{ID: "1,2", Name: "x"}, webhook.Item{ID: "1,2", Name: "x"}, map[string]string{"id": "no commas"}},
		{"control character in the id", webhook.Item{ID: "1\x002", Name: "x"}, webhook.Item{ID: "1\x002", Name: "x"}, map[string]string{"id": "no control characters"}},
		{"long id", webhook.Item{ID: strings.Repeat("1", 101), Name: "x"}, webhook.Item{ID: strings.Repeat("1", 101), Name: "x"}, map[string]string{"id": "at most 100"}},
		{"long name", webhook.Item{ID: "1", Name: strings.Repeat("x", 101)}, webhook.Item{ID: "1", Name: strings.Repeat("x", 101)}, map[string]string{"name": "at most 100"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, problems := webhook.CheckItem(tt.item)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
			wantProblems(t, problems, tt.problems)
		})
	}
}

// wantProblems compares fields exactly and messages in part.
func wantProblems(tb testing.TB, got webhook.Invalid, want map[string]string) {
	tb.Helper()
	for field, part := range want {
		if problem, ok := got[field]; !ok || !strings.Contains(messages.Text(problem), part) {
			tb.Errorf("%s: got problem %q, want one with %q", field, problem, part)
		}
	}
	for field, problem := range got {
		if _, ok := want[field]; !ok {
			tb.Errorf("%s: got problem %q, want none", field, problem)
		}
	}
}
