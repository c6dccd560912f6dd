package db_test

import (
	"fmt"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/messages"
	"bookhook/webhook"
)

var itemTests = []test{
	{"add, rename, retire, restore", testItem},
	{"undo a retirement", testUndoRetire},
	{"put", testPutItems},
	{"put thousands", testPutManyItems},
	{"refresh", testImportItems},
	{"order", testItemOrder},
	{"no such item", testNoItem},
}

var kinds = []webhook.ItemKind{webhook.Channels, webhook.Tours}

func testItem(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for _, kind := range kinds {
		want := webhook.Item{ID: "3930", Name: "Website 🌍"}
		ok(t, s.AddItem(ctx, a.ID, kind, want, at(t0)))
		same(t, "added", must(s.Item(ctx, a.ID, kind, "3930"))(t), want)
		wantInvalid(t, s.AddItem(ctx, a.ID, kind, webhook.Item{ID: "3930", Name: "B"}, at(t0)), "id", "3930")
		want.Name = "Renamed"
		ok(t, s.RenameItem(ctx, a.ID, kind, want, at(t0)))
		want.RetiredAt = t0
		ok(t, s.RetireItem(ctx, a.ID, kind, "3930", true, at(t0)))
		same(t, "retired", must(s.AllItems(ctx, a.ID, kind))(t), []webhook.Item{want})
		want.RetiredAt = webhook.Item{}.RetiredAt
		ok(t, s.RetireItem(ctx, a.ID, kind, "3930", false, at(t0)))
		same(t, "restored", must(s.Item(ctx, a.ID, kind, "3930"))(t), want)
	}
	got := []string{}
	for _, e := range must(s.Audit(ctx, a.ID, 0, 4))(t) {
		got = append(got, e.Action)
	}
	same(t, "audit", got, []string{"tours.restored", "tours.retired", "tours.renamed", "tours.added"})
}

// testUndoRetire restores only what was retired at that moment.
func testUndoRetire(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for _, kind := range kinds {
		want := webhook.Item{ID: "1", Name: "Website"}
		ok(t, s.AddItem(ctx, a.ID, kind, want, at(t0)))
		wantError(t, "never retired", s.UndoRetire(ctx, a.ID, kind, "1", time.Time{}, at(t0)), webhook.ErrConflict)
		ok(t, s.RetireItem(ctx, a.ID, kind, "1", true, at(t0)))
		wantError(t, "of another account", s.UndoRetire(ctx, other.ID, kind, "1", t0, at(t0)), webhook.ErrConflict)
		wantError(t, "at another time", s.UndoRetire(ctx, a.ID, kind, "1", t0.Add(time.Millisecond), at(t0)), webhook.ErrConflict)
		ok(t, s.UndoRetire(ctx, a.ID, kind, "1", t0, at(t0)))
		same(t, "undone", must(s.Item(ctx, a.ID, kind, "1"))(t), want)
		wantError(t, "twice", s.UndoRetire(ctx, a.ID, kind, "1", t0, at(t0)), webhook.ErrConflict)
	}
}

// testPutItems adds, renames, restores and leaves alone, and takes an id that
// is twice in the list as a correction of the first.
func testPutItems(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	ok(t, s.AddItem(ctx, a.ID, webhook.Tours, webhook.Item{ID: "1", Name: "Old"}, at(t0)))
	ok(t, s.RetireItem(ctx, a.ID, webhook.Tours, "1", true, at(t0)))
	ok(t, s.AddItem(ctx, a.ID, webhook.Tours, webhook.Item{ID: "9", Name: "Nine"}, at(t0)))
	list := []webhook.Item{{ID: "1", Name: "A"}, {ID: "2", Name: "B"}, {ID: "2", Name: "C"}}
	added, changed, err := s.PutItems(ctx, a.ID, webhook.Tours, list, at(t0))
	ok(t, err)
	same(t, "added and changed", [2]int{added, changed}, [2]int{1, 2})
	want := []webhook.Item{{ID: "1", Name: "A"}, {ID: "2", Name: "C"}, {ID: "9", Name: "Nine"}}
	same(t, "tours", must(s.AllItems(ctx, a.ID, webhook.Tours))(t), want)
	same(t, "page after an id", must(s.Items(ctx, a.ID, webhook.Tours, "1", 1))(t), want[1:2])
	same(t, "page after the last", len(must(s.Items(ctx, a.ID, webhook.Tours, "9", 5))(t)), 0)
	same(t, "channels", len(must(s.AllItems(ctx, a.ID, webhook.Channels))(t)), 0)
}

func testPutManyItems(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	list := make([]webhook.Item, 10_000)
	for i := range list {
		list[i] = webhook.Item{ID: fmt.Sprint(i), Name: fmt.Sprintf("Tour %05d", i)}
	}
	added, changed, err := s.PutItems(ctx, a.ID, webhook.Tours, list, at(t0))
	ok(t, err)
	same(t, "added and changed", [2]int{added, changed}, [2]int{10_000, 0})
	same(t, "tours", must(s.AllItems(ctx, a.ID, webhook.Tours))(t), list)
}

func testItemOrder(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for id, name := range map[string]string{"1": "cave 10", "2": "Boat", "3": "boat", "4": "Alps", "5": "Cave 9", "10": "Boat"} {
		ok(t, s.AddItem(ctx, a.ID, webhook.Tours, webhook.Item{ID: id, Name: name}, at(t0)))
	}
	ok(t, s.RetireItem(ctx, a.ID, webhook.Tours, "4", true, at(t0)))
	got := ""
	for _, i := range must(s.AllItems(ctx, a.ID, webhook.Tours))(t) {
		got += i.ID + " "
	}
	same(t, "ids by name, retired ones last", got, "2 10 3 5 1 4 ")
}

func testNoItem(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for _, kind := range kinds {
		ok(t, s.AddItem(ctx, other.ID, kind, webhook.Item{ID: "1", Name: "Theirs"}, at(t0)))
		_, err := s.Item(ctx, a.ID, kind, "1")
		wantError(t, "find", err, webhook.ErrNotFound)
		wantError(t, "rename", s.RenameItem(ctx, a.ID, kind, webhook.Item{ID: "1", Name: "Mine"}, at(t0)), webhook.ErrNotFound)
		wantError(t, "retire", s.RetireItem(ctx, a.ID, kind, "1", true, at(t0)), webhook.ErrNotFound)
		same(t, "theirs", must(s.Item(ctx, other.ID, kind, "1"))(t), webhook.Item{ID: "1", Name: "Theirs"})
	}
}

// testImportItems adds and renames; what was retired, or is not listed, stays.
func testImportItems(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for _, item := range []webhook.Item{{ID: "1", Name: "Old"}, {ID: "2", Name: "Same"}, {ID: "3", Name: "Retired"}, {ID: "9", Name: "Ours"}} {
		ok(t, s.AddItem(ctx, a.ID, webhook.Tours, item, at(t0)))
		ok(t, s.AddItem(ctx, other.ID, webhook.Tours, item, at(t0)))
	}
	ok(t, s.RetireItem(ctx, a.ID, webhook.Tours, "3", true, at(t0)))
	list := []webhook.Item{{ID: "1", Name: "New"}, {ID: "2", Name: "Same"}, {ID: "3", Name: "Retired there too"}, {ID: "4", Name: "Four"}}
	for _, want := range []webhook.ItemsImported{{Added: 1, Renamed: 2, Unchanged: 1}, {Unchanged: 4}} {
		same(t, "imported", must(s.ImportItems(ctx, a.ID, webhook.Tours, list, at(t0)))(t), want)
	}
	want := []webhook.Item{{ID: "4", Name: "Four"}, {ID: "1", Name: "New"}, {ID: "9", Name: "Ours"}, {ID: "2", Name: "Same"}, {ID: "3", Name: "Retired there too", RetiredAt: t0}}
	same(t, "tours", must(s.AllItems(ctx, a.ID, webhook.Tours))(t), want)
	same(t, "of another account", must(s.Item(ctx, other.ID, webhook.Tours, "1"))(t).Name, "Old")
	got := must(s.Audit(ctx, a.ID, 0, 2))(t)[1]
	same(t, "audit", messages.Text(got.Message()), "Imported tours: 1 added, 2 renamed, 1 unchanged.")
}
