package db_test

import (
	"sync"
	"testing"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/webhook"
)

var userTests = []test{
	{"round trip", testUserRoundTrip},
	{"an e-mail address signs in once", testUserEmailTaken},
	{"admin without an account", testAdminWithoutAccount},
	{"remove", testRemoveUser},
	{"role", testSetRole},
	{"password", testSetPassword},
	{"settings", testSetting},
}

var sessionTests = []test{
	{"round trip", testSessionRoundTrip},
	{"rotated at login", testSessionRotated},
	{"end", testEndSession},
	{"end everywhere", testEndSessions},
	{"of nobody and of somebody gone", testSessionUser},
}

func newUser(tb testing.TB, s *db.Store, account webhook.AccountID, email string) webhook.User {
	tb.Helper()
	u := webhook.User{Account: account, Email: email, PasswordHash: "$argon2id$…", Role: webhook.RoleOperator, CreatedAt: t0}
	return must(s.AddUser(tb.Context(), u, at(t0)))(tb)
}

func testUserRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	want := newUser(t, s, a.ID, "zoë@example.com")
	second := newUser(t, s, a.ID, "anna@example.com")
	same(t, "by id", must(s.User(ctx, want.ID))(t), want)
	same(t, "by e-mail", must(s.UserByEmail(ctx, want.Email))(t), want)
	same(t, "list", must(s.Users(ctx, a.ID))(t), []webhook.User{want, second})
	_, err := s.User(ctx, second.ID+1)
	wantError(t, "no such id", err, webhook.ErrNotFound)
	_, err = s.UserByEmail(ctx, "nobody@example.com")
	wantError(t, "no such e-mail", err, webhook.ErrNotFound)
}

func testUserEmailTaken(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	newUser(t, s, a.ID, "x@example.com")
	_, err := s.AddUser(ctx, webhook.User{Account: other.ID, Email: "x@example.com", Role: webhook.RoleStaff}, at(t0))
	wantInvalid(t, err, "email", "signs in here already")
	same(t, "users", len(must(s.Users(ctx, other.ID))(t)), 0)
	same(t, "audit entries of the try", len(must(s.Audit(ctx, other.ID, 0, 10))(t)), 1)
}

func testAdminWithoutAccount(t *testing.T, s *db.Store) {
	u := newUser(t, s, 0, "root@example.com")
	same(t, "user", must(s.User(t.Context(), u.ID))(t), u)
}

func testRemoveUser(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	u := newUser(t, s, a.ID, "x@example.com")
	ok(t, s.AddSession(ctx, []byte("h"), nil, session(u.ID)))
	ok(t, s.RemoveUser(ctx, a.ID, u.ID, at(t0)))
	_, err := s.User(ctx, u.ID)
	wantError(t, "user", err, webhook.ErrNotFound)
	_, err = s.Session(ctx, []byte("h"), t0)
	wantError(t, "session", err, webhook.ErrNotFound)
	wantError(t, "again", s.RemoveUser(ctx, a.ID, u.ID, at(t0)), webhook.ErrNotFound)
	newUser(t, s, a.ID, "x@example.com") // the address is free again
}

// testSetRole: one who becomes staff has no invitations out any more.
func testSetRole(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	u := newUser(t, s, a.ID, "x@example.com")
	ok(t, s.SetRole(ctx, a.ID, u.ID, webhook.RoleOperator, at(t0)))
	_, err := s.AddInvitation(ctx, webhook.Invitation{Account: a.ID, Email: "again@example.com", Role: webhook.RoleOperator}, webhook.Change{By: u.Email, At: t0})
	ok(t, err)
	kept := invite(t, s, a.ID, "tim@example.com")
	ok(t, s.SetRole(ctx, a.ID, u.ID, webhook.RoleStaff, at(t0)))
	same(t, "role", must(s.User(ctx, u.ID))(t).Role, webhook.RoleStaff)
	same(t, "invitations", must(s.Invitations(ctx, a.ID))(t), []webhook.Invitation{kept})
	wantError(t, "no such user", s.SetRole(ctx, a.ID, u.ID+99, webhook.RoleStaff, at(t0)), webhook.ErrNotFound)
}

func testSetPassword(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	u, other := newUser(t, s, a.ID, "x@example.com"), newUser(t, s, a.ID, "y@example.com")
	for hash, user := range map[string]webhook.UserID{"keep": u.ID, "end": u.ID, "other": other.ID} {
		ok(t, s.AddSession(ctx, []byte(hash), nil, session(user)))
	}
	ok(t, s.SetPassword(ctx, u.ID, "new", []byte("keep"), at(t0)))
	same(t, "hash", must(s.User(ctx, u.ID))(t).PasswordHash, "new")
	same(t, "sessions", alive(t, s, "keep", "end", "other"), []string{"keep", "other"})
	late := session(u.ID)
	late.Password = u.PasswordHash // checked before the change, saved after it
	wantError(t, "sign-in with the old password", s.AddSession(ctx, []byte("late"), nil, late), webhook.ErrNotFound)
	late.Password = "new"
	ok(t, s.AddSession(ctx, []byte("new"), nil, late))
	same(t, "sessions after it", alive(t, s, "keep", "late", "new"), []string{"keep", "new"})
	wantError(t, "no such user", s.SetPassword(ctx, u.ID+99, "new", nil, at(t0)), webhook.ErrNotFound)
}

// testSetting: whoever comes first decides, the others get its value.
func testSetting(t *testing.T, s *db.Store) {
	values := make([]string, 10)
	var wg sync.WaitGroup
	for i := range values {
		wg.Go(func() {
			v, err := s.Setting(t.Context(), "cookie key", []byte{byte(i), 0, 255})
			if err != nil {
				t.Error(err)
			}
			values[i] = string(v)
		})
	}
	wg.Wait()
	for _, v := range values {
		same(t, "value", v, values[0])
	}
	same(t, "another key", string(must(s.Setting(t.Context(), "other", []byte("x")))(t)), "x")
}

func session(user webhook.UserID) auth.Session {
	return auth.Session{User: user, Data: []byte("{\"a\":\x00}"), ExpiresAt: t0.Add(time.Hour)}
}

// alive are those of the hashes that still have a session.
func alive(tb testing.TB, s *db.Store, hashes ...string) []string {
	tb.Helper()
	var got []string
	for _, h := range hashes {
		if _, err := s.Session(tb.Context(), []byte(h), t0); err == nil {
			got = append(got, h)
		} else {
			wantError(tb, h, err, webhook.ErrNotFound)
		}
	}
	return got
}

func testSessionRoundTrip(t *testing.T, s *db.Store) {
	ctx := t.Context()
	u := newUser(t, s, 0, "x@example.com")
	want, hash := session(u.ID), []byte{0, 1, 255}
	ok(t, s.AddSession(ctx, hash, nil, want))
	same(t, "session", must(s.Session(ctx, hash, t0))(t), want)
	want.Data, want.ExpiresAt = []byte("more"), t0.Add(2*time.Hour)
	ok(t, s.UpdateSession(ctx, hash, want))
	same(t, "saved again", must(s.Session(ctx, hash, t0.Add(time.Hour)))(t), want)
	same(t, "whose it is", must(s.SessionUser(ctx, hash, t0.Add(time.Hour)))(t), u.ID)
	_, err := s.Session(ctx, hash, want.ExpiresAt)
	wantError(t, "expired", err, webhook.ErrNotFound)
	_, err = s.SessionUser(ctx, hash, want.ExpiresAt)
	wantError(t, "whose it was", err, webhook.ErrNotFound)
}

func testSessionRotated(t *testing.T, s *db.Store) {
	ctx := t.Context()
	u := newUser(t, s, 0, "x@example.com")
	ok(t, s.AddSession(ctx, []byte("old"), nil, session(0)))
	ok(t, s.AddSession(ctx, []byte("new"), []byte("old"), session(u.ID)))
	same(t, "sessions", alive(t, s, "old", "new"), []string{"new"})
}

func testEndSession(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.AddSession(ctx, []byte("a"), nil, session(0)))
	ok(t, s.AddSession(ctx, []byte("b"), nil, session(0)))
	ok(t, s.EndSession(ctx, []byte("a")))
	ok(t, s.EndSession(ctx, []byte("a")))                // once more is harmless
	ok(t, s.UpdateSession(ctx, []byte("a"), session(0))) // by a request that was on its way
	same(t, "sessions", alive(t, s, "a", "b"), []string{"b"})
}

func testEndSessions(t *testing.T, s *db.Store) {
	ctx := t.Context()
	u, other := newUser(t, s, 0, "x@example.com"), newUser(t, s, 0, "y@example.com")
	for hash, user := range map[string]webhook.UserID{"a": u.ID, "b": u.ID, "c": u.ID, "other": other.ID, "nobody": 0} {
		ok(t, s.AddSession(ctx, []byte(hash), nil, session(user)))
	}
	ok(t, s.EndSessions(ctx, u.ID, []byte("b")))
	same(t, "all but one", alive(t, s, "a", "b", "c", "other", "nobody"), []string{"b", "other", "nobody"})
	ok(t, s.EndSessions(ctx, u.ID, nil))
	same(t, "all", alive(t, s, "a", "b", "c", "other", "nobody"), []string{"other", "nobody"})
}

func testSessionUser(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.AddSession(ctx, []byte("h"), nil, session(0)))
	same(t, "before login", must(s.Session(ctx, []byte("h"), t0))(t), session(0))
	if err := s.AddSession(ctx, []byte("x"), nil, session(4711)); err == nil {
		t.Error("a session of a user that does not exist was saved")
	}
}
