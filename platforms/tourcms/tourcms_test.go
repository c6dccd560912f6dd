package tourcms_test

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"bookhook/platforms"
	"bookhook/platforms/all"
	"bookhook/platforms/tourcms"
	"bookhook/webhook"
)

func TestEvents(t *testing.T) {
	want := []string{
		"new_confirmed_staff", "new_confirmed_web", "new_provisional_staff", "new_provisional_web", "new_quotation_staff",
		"new_quotation_web", "cancelled", "expq_quotation", "expp_provisional", "redeem_voucher", "token_success", "token_failure",
		"new_temporary_web", "new_temporary_staff", "temporary_booking_deleted", "check_booking_status",
	}
	var got []string
	for _, e := range tourcms.Events() {
		got = append(got, e.Key)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// golden reads a file of testdata.
func golden(t testing.TB, name string) string {
	t.Helper()
	text, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// words is the sentence of an error that is a message, or has one.
func words(err error) string {
	if rejected, ok := errors.AsType[platforms.Rejected](err); ok {
		return all.Platforms().Text(rejected.Why)
	}
	if message, ok := errors.AsType[webhook.Message](err); ok {
		return all.Platforms().Text(message)
	}
	return fmt.Sprint(err)
}

func TestSettings(t *testing.T) {
	checks := map[string]func(string) webhook.Message{}
	for _, s := range tourcms.Platform().Settings {
		checks[s.Key] = s.Check
		if s.Label == "" || s.Hint == "" || s.Secret != (s.Key == "api_key") || s.Target != (s.Key == "api_url") {
			t.Errorf("%+v: something is missing", s)
		}
	}
	for _, tt := range []struct {
		key, value string
		right      bool
	}{
		{"api_key", "", true},
		{"api_key", "EXAMPLEKEY", true},
		{"api_key", "3930=EXAMPLEKEY", true},
		{"api_key", "3930=EXAMPLEKEY\n3931=OTHER==", true},
		{"api_key", "EXAMPLEKEY OTHER", false},
		{"api_key", "3930=EXAMPLEKEY OTHER", false},
		{"api_key", "3930=EXAMPLEKEY 3930=OTHER", false},
		{"api_key", "schlüssel", false},
		{"marketplace_id", "", true},
		{"marketplace_id", "0", true},
		{"marketplace_id", " 126 ", true},
		{"marketplace_id", "12a", false},
		{"marketplace_id", "-1", false},
		{"api_url", "", true},
		{"api_url", "https://api.tourcms.com", true},
		{"api_url", "http://127.0.0.1:8080/", true},
		{"api_url", "api.tourcms.com", false},
		{"api_url", "https://api.tourcms.com?x=1", false},
		{"api_url", "https://user@api.tourcms.com", false},
	} {
		if problem := checks[tt.key](tt.value); problem.IsZero() != tt.right {
			t.Errorf("%s %q: got %q, want it right: %t", tt.key, tt.value, problem, tt.right)
		}
	}
}

func TestKey(t *testing.T) {
	for _, tt := range []struct{ stored, channel, want string }{
		{"", "3930", ""},
		{"  ", "3930", ""},
		{"ONE", "3930", "ONE"},
		{"ONE", "", "ONE"},
		{"3930=A", "3930", "A"},
		{"3930=A", "", "A"},
		{"3930=A", "3931", ""},
		{"3930=A 3931=B=", "3931", "B="},
		{"3930=A 3931=B", "", ""},
		{"3930=A 3931=B", "393", ""},
	} {
		if got := tourcms.Key(webhook.Settings{"api_key": tt.stored}, tt.channel); got != tt.want {
			t.Errorf("%q, channel %q: got %q, want %q", tt.stored, tt.channel, got, tt.want)
		}
	}
}

func TestAbout(t *testing.T) {
	p := tourcms.Platform()
	if !strings.Contains(p.Connect[0], "Booking Webhooks") || !strings.Contains(strings.Join(p.About, " "), "our reading") {
		t.Errorf("got %q and %q", p.Connect, p.About)
	}
}
