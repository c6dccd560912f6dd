package db_test

import (
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var connectionTests = []test{
	{"a new account uses TourCMS", testFirstConnection},
	{"on and off", testSwitchPlatform},
	{"by the token", testConnectionByToken},
	{"a new address beside the old one", testRotateAddress},
	{"settings", testConnectionSettings},
	{"received", testReceived},
	{"of one account only", testForeignConnections},
	{"an event is matched by what is on", testPlatformOff},
}

func connect(tb testing.TB, s *db.Store, account webhook.AccountID, platform string) webhook.Connection {
	tb.Helper()
	return must(s.SwitchPlatform(tb.Context(), account, platform, true, at(t0)))(tb)
}

func testFirstConnection(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	c := must(s.Connection(ctx, a.ID, "tourcms"))(t)
	same(t, "connections", must(s.Connections(ctx, a.ID))(t), []webhook.Connection{c})
	same(t, "on", c.Enabled, true)
	same(t, "token", len(c.Token), 26)
	same(t, "path", c.Path(), "/in/tourcms/"+c.Token)
	_, err := s.Connection(ctx, a.ID, "wink")
	wantError(t, "one that was never on", err, webhook.ErrNotFound)
}

func testSwitchPlatform(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	_, err := s.SwitchPlatform(ctx, a.ID, "wink", false, at(t0))
	wantError(t, "off before it was on", err, webhook.ErrNotFound)
	on := connect(t, s, a.ID, "wink")
	same(t, "stored", must(s.Connection(ctx, a.ID, "wink"))(t), on)
	off := must(s.SwitchPlatform(ctx, a.ID, "wink", false, at(t0)))(t)
	same(t, "on", []bool{on.Enabled, off.Enabled}, []bool{true, false})
	same(t, "the address stays", off.Token, on.Token)
	same(t, "on again", connect(t, s, a.ID, "wink"), on)
	var actions []string
	for _, e := range must(s.Audit(ctx, a.ID, 0, 3))(t) {
		actions = append(actions, e.By+" "+e.Action+" "+e.Subject)
	}
	same(t, "audit", actions, []string{by + " platform.on wink", by + " platform.off wink", by + " platform.on wink"})
}

func testConnectionByToken(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	connect(t, s, newAccount(t, s).ID, "wink")
	c := connect(t, s, a.ID, "wink")
	same(t, "by the token", must(s.ConnectionByToken(ctx, "wink", c.Token, t0))(t), c)
	off := must(s.SwitchPlatform(ctx, a.ID, "wink", false, at(t0)))(t)
	same(t, "while it is off", must(s.ConnectionByToken(ctx, "wink", c.Token, t0))(t), off)
	for _, wrong := range [][2]string{{"ltd", c.Token}, {"wink", c.Token[:25]}, {"wink", ""}, {"wink", "%"}, {"", c.Token}} {
		_, err := s.ConnectionByToken(ctx, wrong[0], wrong[1], t0)
		wantError(t, wrong[0]+" "+wrong[1], err, webhook.ErrNotFound)
	}
}

func testRotateAddress(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	_, err := s.RotateAddress(ctx, a.ID, "wink", "", at(t0))
	wantError(t, "one that was never on", err, webhook.ErrNotFound)
	first := connect(t, s, a.ID, "wink")
	second := must(s.RotateAddress(ctx, a.ID, "wink", first.Token, at(t0)))(t)
	_, err = s.RotateAddress(ctx, a.ID, "wink", first.Token, at(t0))
	wantError(t, "the second press of two", err, webhook.ErrConflict)
	same(t, "old", second.OldToken, first.Token)
	same(t, "until", second.OldUntil, t0.Add(webhook.AddressOverlap))
	end := second.OldUntil
	for _, token := range []string{first.Token, second.Token} {
		same(t, "within the overlap", must(s.ConnectionByToken(ctx, "wink", token, end.Add(-time.Millisecond)))(t), second)
	}
	_, err = s.ConnectionByToken(ctx, "wink", first.Token, end)
	wantError(t, "the old one at its end", err, webhook.ErrNotFound)
	same(t, "the new one", must(s.ConnectionByToken(ctx, "wink", second.Token, end))(t), second)
	third := must(s.RotateAddress(ctx, a.ID, "wink", second.Token, at(t0)))(t)
	_, err = s.ConnectionByToken(ctx, "wink", first.Token, t0)
	wantError(t, "the first one after the third", err, webhook.ErrNotFound)
	same(t, "the second one", must(s.ConnectionByToken(ctx, "wink", second.Token, t0))(t), third)
}

func testConnectionSettings(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	wantError(t, "one that was never on", s.SaveSettings(ctx, a.ID, "wink", webhook.Settings{"key": "x"}, at(t0)), webhook.ErrNotFound)
	connect(t, s, a.ID, "wink")
	want := webhook.Settings{"key": "sécret\x00", "user": "☂"}
	ok(t, s.SaveSettings(ctx, a.ID, "wink", want, at(t0)))
	same(t, "settings", must(s.Connection(ctx, a.ID, "wink"))(t).Settings, want)
	ok(t, s.SaveSettings(ctx, a.ID, "wink", webhook.Settings{"user": "y"}, at(t0)))
	same(t, "replaced", must(s.Connection(ctx, a.ID, "wink"))(t).Settings, webhook.Settings{"user": "y"})
	same(t, "the other platform", len(must(s.Connection(ctx, a.ID, "tourcms"))(t).Settings), 0)
}

func testReceived(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	at := func() time.Time {
		t.Helper()
		return must(s.Connection(ctx, a.ID, "wink"))(t).ReceivedAt
	}
	c := connect(t, s, a.ID, "wink")
	same(t, "never", at(), time.Time{})
	ok(t, s.ConnectionUsed(ctx, c, "", t0))
	same(t, "first", at(), t0)
	c.ReceivedAt = t0
	ok(t, s.ConnectionUsed(ctx, c, "", t0.Add(9*time.Second)))
	same(t, "soon after", at(), t0)
	ok(t, s.ConnectionUsed(ctx, c, "", t0.Add(10*time.Second)))
	same(t, "later", at(), t0.Add(10*time.Second))
	same(t, "the other platform", must(s.Connection(ctx, a.ID, "tourcms"))(t).ReceivedAt, time.Time{})
	c = must(s.Connection(ctx, a.ID, "wink"))(t)
	ok(t, s.ConnectionUsed(ctx, c, "1234", t0.Add(11*time.Second)))
	c = must(s.Connection(ctx, a.ID, "wink"))(t)
	same(t, "one that names an account, soon after", []any{c.Named, c.ReceivedAt}, []any{"1234", t0.Add(11 * time.Second)})
	ok(t, s.ConnectionRejected(ctx, c, t0.Add(12*time.Second)))
	c = must(s.Connection(ctx, a.ID, "wink"))(t)
	same(t, "one that is rejected", []any{c.Named, c.ReceivedAt, c.RejectedAt}, []any{"1234", t0.Add(12 * time.Second), t0.Add(12 * time.Second)})
	ok(t, s.ConnectionUsed(ctx, c, "1234", t0.Add(13*time.Second)))
	same(t, "one that is accepted, soon after", must(s.Connection(ctx, a.ID, "wink"))(t).RejectedAt, time.Time{})
}

// testForeignConnections: what one account does with a platform is nothing to
// another.
func testForeignConnections(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, me := newAccount(t, s), newAccount(t, s)
	theirs := connect(t, s, a.ID, "wink")
	_, err := s.Connection(ctx, me.ID, "wink")
	wantError(t, "Connection", err, webhook.ErrNotFound)
	_, err = s.SwitchPlatform(ctx, me.ID, "wink", false, at(t0))
	wantError(t, "SwitchPlatform", err, webhook.ErrNotFound)
	_, err = s.RotateAddress(ctx, me.ID, "wink", theirs.Token, at(t0))
	wantError(t, "RotateAddress", err, webhook.ErrNotFound)
	wantError(t, "SaveSettings", s.SaveSettings(ctx, me.ID, "wink", nil, at(t0)), webhook.ErrNotFound)
	_, err = s.SwitchPlatform(ctx, 1, "wink", true, at(t0))
	if err == nil {
		t.Error("a platform was switched on for an account that does not exist")
	}
	mine := connect(t, s, me.ID, "wink")
	must(s.RotateAddress(ctx, me.ID, "wink", mine.Token, at(t0)))(t)
	ok(t, s.SaveSettings(ctx, me.ID, "wink", webhook.Settings{"key": "mine"}, at(t0)))
	ok(t, s.ConnectionUsed(ctx, mine, "", t0))
	must(s.SwitchPlatform(ctx, me.ID, "wink", false, at(t0)))(t)
	same(t, "theirs", must(s.Connection(ctx, a.ID, "wink"))(t), theirs)
	if mine.Token == theirs.Token {
		t.Error("two accounts have one address")
	}
}

// testPlatformOff: an event of a platform that is off is kept and told to
// nobody; Ingest keeps in memory what is on and must see each change.
func testPlatformOff(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, w := shop(t, s)
	e := newEvent("")
	e.Platform, e.Inbound, e.Wire = "wink", true, []byte("a=1&b=%ff")
	decide := func() webhook.Reason {
		t.Helper()
		one := ingest(t, s, a.ID, e)[0]
		row := must(s.Event(ctx, a.ID, one.Event.ID))(t)
		same(t, "wire", string(row.Wire), string(e.Wire))
		same(t, "inbound", row.Inbound, true)
		same(t, "decisions", row.Decisions[0].Webhook, w.ID)
		return row.Decisions[0].Reason
	}
	same(t, "never on", decide(), webhook.ReasonPlatformOff)
	connect(t, s, a.ID, "wink")
	same(t, "on", decide(), webhook.Matched)
	must(s.SwitchPlatform(ctx, a.ID, "wink", false, at(t0)))(t)
	same(t, "off", decide(), webhook.ReasonPlatformOff)
}
