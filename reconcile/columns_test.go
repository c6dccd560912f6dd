package reconcile_test

import (
	"testing"

	"bookhook/db/dbtest"
	"bookhook/reconcile"
	"bookhook/webhook"
)

// TestInspect: the column is guessed by what the account knows, then by its name, then by
// its values.
func TestInspect(t *testing.T) {
	s := dbtest.New(t)
	a, err := s.AddAccount(t.Context(), webhook.Account{Name: "Sea", TimeZone: "UTC", WebhookLimit: 10}, change())
	if err != nil {
		t.Fatal(err)
	}
	newHook(t, s, a.ID, true)
	insert(t, s, a.ID, []webhook.Event{
		{Platform: webhook.DefaultPlatform, Type: "cancelled", BookingID: "TC-1"},
		{Platform: webhook.DefaultPlatform, Type: "cancelled", BookingID: "17"},
		{Platform: webhook.DefaultPlatform, Type: "cancelled", BookingID: "#1041"},
	})
	for name, c := range map[string]struct {
		text   string
		chosen int
		header bool
		known  int
	}{
		"known ones before names":   {"Booking;Code\n9;#tc-1\n8;x\n", 1, true, 1},
		"numbers of a spreadsheet":  {"Booking,Code\n9,17.0\n8,x\n", 1, true, 1},
		"names before values":       {"Phone,Ref,Name\n1234567,A7,Ann\n1234568,A8,Bo\n", 1, true, 0},
		"values":                    {"Ann,A7\nBo,A8\n", 1, false, 0},
		"no mail addresses":         {"ann1@example.com,A7\nbo2@example.com,A8\n", 1, false, 0},
		"one column with a heading": {"Reference\nTC-1\n", 0, true, 1},
		"one column without":        {"TC-1\nTC-2\n", 0, false, 1},
		"a # in the log":            {"Booking;Code\n9;#1041\n", 1, true, 1},
		"one row":                   {"TC-1\n", 0, false, 1},
		"a heading with a digit":    {"Ref 1\nTC-1\n", 0, false, 1},
		"nothing like a reference":  {"Ann,x\nBo,y\n", 0, false, 0},
	} {
		got, err := reconcile.New(s).Inspect(t.Context(), store(t, s, a.ID, []byte(c.text)))
		if err != nil || got.Chosen != c.chosen || got.Header != c.header || got.All[got.Chosen].Known != c.known {
			t.Errorf("%s: got %+v, %v, want column %d with %d known, header %v", name, got, err, c.chosen, c.known, c.header)
		}
	}
	other, err := s.AddAccount(t.Context(), webhook.Account{Name: "Other", TimeZone: "UTC", WebhookLimit: 10}, change())
	if err != nil {
		t.Fatal(err)
	}
	got, err := reconcile.New(s).Inspect(t.Context(), store(t, s, other.ID, []byte("Booking;Code\n9;TC-1\n")))
	if err != nil || got.Chosen != 0 || got.All[1].Known != 0 {
		t.Errorf("another account: got %+v, %v", got, err)
	}
}
