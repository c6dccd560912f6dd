package handlers_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"testing"

	"bookhook/webhook"
)

func TestRetireAsksAndIsUndone(t *testing.T) {
	t.Parallel()
	s := newWizard(t)
	a, b := s.signIn(anna), s.signIn(berta)
	s.hook(hookURL, func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Exclude, []string{"15"}) })
	a.get("/tours").has("“Kayak” is no longer offered to choose from. No webhook selects it", "Accounting selects it and still matches its bookings.", "Retire tour")

	retired := url.Values{"id": {"15"}}
	p := a.follow("/tours/retire", retired).has("“Night Walk” was retired", "Undo")
	undo := url.Values{"id": {"15"}, "retired": {p.find(`name="retired" value="(\d+)"`)}}
	a.get("/tours").lacks("Undo")
	a.follow("/tours/restore", undo).has("“Night Walk” is in use again").lacks("Undo")
	a.follow("/tours/restore", undo).has("nothing to undo")
	b.post("/tours/retire", retired).is(http.StatusSeeOther) // what somebody else retired since stays so
	a.follow("/tours/restore", undo).has("nothing to undo")
	for _, none := range []string{"", "0", "-62135596800000", "x"} {
		a.follow("/tours/restore", url.Values{"id": {"15"}, "retired": {none}}).has("nothing to undo")
	}
	i, err := s.store.Item(t.Context(), s.account.ID, webhook.Tours, "15")
	s.check(err)
	if i.RetiredAt.IsZero() {
		t.Error("an old button undid what somebody else did")
	}
	a.follow("/tours/restore", retired).has("“Night Walk” is in use again")
}

// Numbers in names are sorted by value, over all pages.
func TestItemsInNaturalOrder(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	var items []webhook.Item
	var want []string
	for i := 1; i <= 250; i++ {
		items = append(items, webhook.Item{ID: fmt.Sprint(1000 - i), Name: []string{"Tour ", "tour "}[i%2] + fmt.Sprint(i)})
		want = append(want, items[i-1].ID)
	}
	slices.Reverse(items)
	s.putItems(webhook.Tours, items...)
	row, next := regexp.MustCompile(`class="mono">(\d+)<`), regexp.MustCompile(`href="(/tours\?after=[^"]+)"`)
	var got []string
	for address := "/tours"; address != ""; {
		text := b.get(address).is(http.StatusOK).text
		for _, match := range row.FindAllStringSubmatch(text, -1) {
			got = append(got, match[1])
		}
		address = ""
		if match := next.FindStringSubmatch(text); match != nil {
			address = match[1]
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	for _, name := range []string{"Hook 10", "hook 9", "Hook 1"} {
		s.hook(hookURL, func(w *webhook.Webhook) { w.Name = name })
	}
	for _, address := range []string{"/webhooks", "/deliveries"} {
		names := regexp.MustCompile(`[Hh]ook \d+`).FindAllString(b.get(address).is(http.StatusOK).text, -1)
		if names = slices.Compact(names); len(names) < 3 || !slices.Equal(names[:3], []string{"Hook 1", "hook 9", "Hook 10"}) {
			t.Errorf("%s: got %v", address, names)
		}
	}
}
