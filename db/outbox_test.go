package db_test

import (
	"errors"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var outboxTests = []test{
	{"from waiting to sent", testOutbox},
	{"attempts", testOutboxAttempts},
	{"shared by many", testOutboxShared},
	{"lists", testOutboxLists},
	{"old messages go", testOutboxPruned},
}

var invitationTests = []test{
	{"accepted", testInvitation},
	{"whom it cannot be for", testInvitationRefused},
	{"sent again and withdrawn", testInvitationAgain},
	{"of somebody who is removed", testInvitationsOfRemoved},
	{"expires", testInvitationExpires},
	{"no flood of them", testInvitationFlood},
}

var resetTests = []test{
	{"a new password", testReset},
	{"what ends a link", testResetAgain},
	{"no flood of links", testResetFlood},
	{"no flood of requests", testResetRequests},
	{"nobody", testResetNobody},
}

func testOutbox(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	queued := 0
	s.WatchOutbox(func() { queued++ })
	_, err := s.NextMail(ctx)
	wantError(t, "next of none", err, webhook.ErrNotFound)
	ok(t, s.Enqueue(ctx, t0, webhook.Mail{Account: a.ID, To: "anna@example.com", Kind: "x", Args: []byte(`{"n":1}`)}, webhook.Mail{To: "b@example.com", Kind: "y"}))
	same(t, "calls", queued, 1)
	same(t, "next", must(s.NextMail(ctx))(t), t0)
	_, err = s.ClaimMail(ctx, t0.Add(-1), lease)
	wantError(t, "before its time", err, webhook.ErrNotFound)
	got := must(s.ClaimMail(ctx, t0, lease))(t)
	same(t, "claimed", got, webhook.Mail{ID: got.ID, Account: a.ID, To: "anna@example.com", Kind: "x", Args: []byte(`{"n":1}`), State: webhook.MailWaiting, Attempts: 1, NextAt: lease, CreatedAt: t0})
	second := must(s.ClaimMail(ctx, t0, lease))(t)
	same(t, "second", string(second.Args)+second.To, "{}b@example.com")
	_, err = s.ClaimMail(ctx, t0, lease)
	wantError(t, "all are being sent", err, webhook.ErrNotFound)
	got.State, got.FinishedAt, got.NextAt = webhook.MailSent, t0.Add(time.Second), time.Time{}
	ok(t, s.FinishMail(ctx, got))
	same(t, "sent", must(s.Mails(ctx, a.ID, 0, 9))(t), []webhook.Mail{got})
	ok(t, s.DropMail(ctx, second))
	_, err = s.NextMail(ctx)
	wantError(t, "next of none waiting", err, webhook.ErrNotFound)
	same(t, "all", len(must(s.AllMails(ctx, 0, 9))(t)), 1)
}

func testOutboxAttempts(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.Enqueue(ctx, t0, webhook.Mail{To: "anna@example.com", Kind: "x"}))
	late := must(s.ClaimMail(ctx, t0, lease))(t)
	retry := must(s.ClaimMail(ctx, lease, lease.Add(time.Minute)))(t) // the process that had it is gone, or so it seems
	same(t, "attempts", retry.Attempts, 2)
	late.State = webhook.MailFailed
	ok(t, s.FinishMail(ctx, late))
	ok(t, s.DropMail(ctx, late))
	retry.NextAt, retry.Problem = t0.Add(time.Hour), webhook.NewMessage("mail.later", "a", "b")
	ok(t, s.FinishMail(ctx, retry))
	same(t, "rows", must(s.AllMails(ctx, 0, 9))(t), []webhook.Mail{retry})
	same(t, "next", must(s.NextMail(ctx))(t), t0.Add(time.Hour))
}

// testOutboxShared: each message goes to one of those who ask at the same time.
func testOutboxShared(t *testing.T, s *db.Store) {
	ctx := t.Context()
	for range 50 {
		ok(t, s.Enqueue(ctx, t0, webhook.Mail{To: "anna@example.com", Kind: "x"}))
	}
	var mu sync.Mutex
	var n atomic.Int64
	claimed := map[webhook.MailID]bool{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for {
				m, err := s.ClaimMail(ctx, t0, lease)
				if err != nil {
					return
				}
				n.Add(1)
				mu.Lock()
				claimed[m.ID] = true
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if len(claimed) != 50 || n.Load() != 50 {
		t.Errorf("%d claims of %d messages, want 50 of 50", n.Load(), len(claimed))
	}
}

func testOutboxLists(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for range 3 {
		ok(t, s.Enqueue(ctx, t0, webhook.Mail{Account: a.ID, To: "anna@example.com", Kind: "x"}, webhook.Mail{Account: other.ID, To: "o@example.com", Kind: "x"}, webhook.Mail{To: "p@example.com", Kind: "x"}))
	}
	first := must(s.Mails(ctx, a.ID, 0, 2))(t)
	rest := must(s.Mails(ctx, a.ID, first[1].ID, 2))(t)
	same(t, "lengths", []int{len(first), len(rest)}, []int{2, 1})
	for _, m := range append(first, rest...) {
		same(t, "account", m.Account, a.ID)
	}
	all := must(s.AllMails(ctx, 0, 4))(t)
	same(t, "all", len(all)+len(must(s.AllMails(ctx, all[3].ID, 9))(t)), 9)
}

func testOutboxPruned(t *testing.T, s *db.Store) {
	ctx := t.Context()
	for range 3 {
		ok(t, s.Enqueue(ctx, t0, webhook.Mail{To: "anna@example.com", Kind: "x"}))
	}
	for _, state := range []webhook.MailState{webhook.MailSent, webhook.MailFailed} {
		m := must(s.ClaimMail(ctx, t0, lease))(t)
		m.State = state
		ok(t, s.FinishMail(ctx, m))
	}
	prune(t, s, t0.Add(-time.Hour), t0, 1)
	same(t, "new ones", len(must(s.AllMails(ctx, 0, 9))(t)), 3)
	prune(t, s, t0.Add(time.Hour), t0.Add(time.Hour), 1)
	left := must(s.AllMails(ctx, 0, 9))(t)
	if len(left) != 1 || left[0].State != webhook.MailWaiting {
		t.Errorf("old ones: got %+v, want the one that is waiting", left)
	}
}

func invite(tb testing.TB, s *db.Store, account webhook.AccountID, email string) webhook.Invitation {
	tb.Helper()
	return must(s.AddInvitation(tb.Context(), webhook.Invitation{Account: account, Email: email, Role: webhook.RoleStaff}, at(t0)))(tb)
}

func testInvitation(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	want := invite(t, s, a.ID, "tim@example.com")
	same(t, "list", must(s.Invitations(ctx, a.ID))(t), []webhook.Invitation{want})
	m := must(s.ClaimMail(ctx, t0, lease))(t)
	same(t, "message", []any{m.Account, m.To, m.Kind}, []any{a.ID, "tim@example.com", webhook.MailInvitation})
	_, err := s.InvitationByToken(ctx, []byte("h"), t0)
	wantError(t, "before it is sent", err, webhook.ErrNotFound)
	sent := must(s.SetInvitationToken(ctx, m.ID, []byte("h"), t0.Add(time.Hour)))(t)
	same(t, "of the message", sent.ID, want.ID)
	for range 2 { // reading it ends nothing
		same(t, "by token", must(s.InvitationByToken(ctx, []byte("h"), t0))(t), sent)
	}
	u := must(s.AcceptInvitation(ctx, []byte("h"), "hash", t0))(t)
	same(t, "user", must(s.User(ctx, u.ID))(t), webhook.User{ID: u.ID, Account: a.ID, Email: "tim@example.com", PasswordHash: "hash", Role: webhook.RoleStaff, CreatedAt: t0})
	_, err = s.AcceptInvitation(ctx, []byte("h"), "hash", t0)
	wantError(t, "again", err, webhook.ErrNotFound)
	same(t, "list", len(must(s.Invitations(ctx, a.ID))(t)), 0)
	log := must(s.Audit(ctx, a.ID, 0, 2))(t)
	same(t, "log", []string{log[0].Action, log[0].By, log[1].Action, log[1].By}, []string{"user.added", "tim@example.com", "invitation.sent", by})
}

func testInvitationRefused(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	newUser(t, s, a.ID, "taken@example.com")
	newUser(t, s, other.ID, "theirs@example.com")
	invite(t, s, a.ID, "tim@example.com")
	for email, text := range map[string]string{"taken@example.com": "signs in here already", "tim@example.com": "There is an invitation"} {
		_, err := s.AddInvitation(ctx, webhook.Invitation{Account: a.ID, Email: email, Role: webhook.RoleStaff}, at(t0))
		wantInvalid(t, err, "email", text)
	}
	same(t, "messages", len(must(s.AllMails(ctx, 0, 9))(t)), 1)
	second := invite(t, s, other.ID, "tim@example.com") // whichever is accepted first
	m := must(s.ClaimMail(ctx, t0, lease))(t)
	must(s.SetInvitationToken(ctx, m.ID, []byte("a"), lease))(t)
	m = must(s.ClaimMail(ctx, t0, lease))(t)
	same(t, "second", must(s.SetInvitationToken(ctx, m.ID, []byte("b"), lease))(t).ID, second.ID)
	must(s.AcceptInvitation(ctx, []byte("a"), "hash", t0))(t)
	_, err := s.AcceptInvitation(ctx, []byte("b"), "hash", t0)
	wantInvalid(t, err, "email", "signs in here already")

	invite(t, s, a.ID, "theirs@example.com") // nobody finds out that it signs in to another account
	m = must(s.ClaimMail(ctx, t0, lease))(t)
	must(s.SetInvitationToken(ctx, m.ID, []byte("c"), lease))(t)
	_, err = s.AcceptInvitation(ctx, []byte("c"), "hash", t0)
	wantInvalid(t, err, "email", "signs in here already")
}

func testInvitationAgain(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	i := invite(t, s, a.ID, "tim@example.com")
	first := must(s.ClaimMail(ctx, t0, lease))(t)
	must(s.SetInvitationToken(ctx, first.ID, []byte("h"), lease))(t)
	_, err := s.SendInvitation(ctx, other.ID, i.ID, at(t0))
	wantError(t, "by another account", err, webhook.ErrNotFound)
	must(s.SendInvitation(ctx, a.ID, i.ID, at(t0.Add(time.Second))))(t)
	must(s.InvitationByToken(ctx, []byte("h"), t0))(t)
	_, err = s.SetInvitationToken(ctx, first.ID, []byte("late"), lease)
	wantError(t, "a message before the last", err, webhook.ErrNotFound)
	m := must(s.ClaimMail(ctx, t0.Add(time.Second), lease))(t)
	must(s.SetInvitationToken(ctx, m.ID, []byte("again"), lease))(t)
	_, err = s.InvitationByToken(ctx, []byte("h"), t0)
	wantError(t, "the link before", err, webhook.ErrNotFound)
	_, err = s.WithdrawInvitation(ctx, other.ID, i.ID, at(t0))
	wantError(t, "withdrawn by another account", err, webhook.ErrNotFound)
	must(s.WithdrawInvitation(ctx, a.ID, i.ID, at(t0)))(t)
	_, err = s.AcceptInvitation(ctx, []byte("again"), "hash", t0)
	wantError(t, "withdrawn", err, webhook.ErrNotFound)
}

// testInvitationsOfRemoved: nobody who is removed comes back by an invitation to themselves.
func testInvitationsOfRemoved(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	removed := newUser(t, s, a.ID, "removed@example.com")
	_, err := s.AddInvitation(ctx, webhook.Invitation{Account: a.ID, Email: "again@example.com", Role: webhook.RoleOperator}, webhook.Change{By: removed.Email, At: t0})
	ok(t, err)
	m := must(s.ClaimMail(ctx, t0, lease))(t)
	must(s.SetInvitationToken(ctx, m.ID, []byte("h"), lease))(t)
	kept := invite(t, s, a.ID, "tim@example.com")
	ok(t, s.RemoveUser(ctx, a.ID, removed.ID, at(t0)))
	_, err = s.AcceptInvitation(ctx, []byte("h"), "hash", t0)
	wantError(t, "an invitation of somebody who was removed", err, webhook.ErrNotFound)
	same(t, "others", must(s.Invitations(ctx, a.ID))(t), []webhook.Invitation{kept})
	log := must(s.Audit(ctx, a.ID, 0, 2))(t)
	same(t, "log", []string{log[0].Action, log[1].Action, log[1].Args[0]}, []string{"user.removed", "invitation.withdrawn", "again@example.com"})
}

func testInvitationExpires(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	invite(t, s, a.ID, "tim@example.com")
	m := must(s.ClaimMail(ctx, t0, lease))(t)
	expires := t0.Add(time.Hour)
	must(s.SetInvitationToken(ctx, m.ID, []byte("h"), expires))(t)
	_, err := s.AcceptInvitation(ctx, []byte("h"), "hash", expires)
	wantError(t, "expired", err, webhook.ErrNotFound)
	prune(t, s, t0, expires, 9)
	same(t, "kept to be sent again", len(must(s.Invitations(ctx, a.ID))(t)), 1)
	prune(t, s, expires, expires, 9)
	same(t, "long gone", len(must(s.Invitations(ctx, a.ID))(t)), 0)
}

// startReset sends a link for a new password, and returns its user.
func startReset(tb testing.TB, s *db.Store, email, hash string) (webhook.User, error) {
	tb.Helper()
	ok(tb, s.Enqueue(tb.Context(), t0, webhook.Mail{To: email, Kind: webhook.MailReset}))
	m := must(s.ClaimMail(tb.Context(), t0, lease))(tb)
	return s.StartReset(tb.Context(), m, []byte(hash), t0.Add(time.Hour))
}

func testReset(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	want, other := newUser(t, s, a.ID, "x@example.com"), newUser(t, s, a.ID, "y@example.com")
	for hash, user := range map[string]webhook.UserID{"theirs": want.ID, "other": other.ID} {
		ok(t, s.AddSession(ctx, []byte(hash), nil, session(user)))
	}
	same(t, "user", must(startReset(t, s, want.Email, "h"))(t), want)
	same(t, "message", must(s.Mails(ctx, a.ID, 0, 1))(t)[0].User, want.ID)
	same(t, "by link", must(s.UserByReset(ctx, []byte("h"), t0))(t), want)
	wantError(t, "expired", s.ResetPassword(ctx, []byte("h"), "new", t0.Add(time.Hour)), webhook.ErrNotFound)
	ok(t, s.ResetPassword(ctx, []byte("h"), "new", t0))
	same(t, "password", must(s.User(ctx, want.ID))(t).PasswordHash, "new")
	same(t, "sessions", alive(t, s, "theirs", "other"), []string{"other"})
	wantError(t, "again", s.ResetPassword(ctx, []byte("h"), "newer", t0), webhook.ErrNotFound)
	entry := must(s.Audit(ctx, a.ID, 0, 1))(t)[0]
	same(t, "log", []string{entry.Action, entry.By, entry.Args[0]}, []string{"user.reset", want.Email, want.Email})
}

// testResetAgain: a new password and the removal of the user end all links; a newer
// link ends none, since anybody can ask for one.
func testResetAgain(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	u, other := newUser(t, s, a.ID, "x@example.com"), newUser(t, s, a.ID, "y@example.com")
	must(startReset(t, s, u.Email, "first"))(t)
	must(startReset(t, s, other.Email, "other"))(t)
	must(startReset(t, s, u.Email, "second"))(t)
	ok(t, s.ResetPassword(ctx, []byte("first"), "new", t0))
	wantError(t, "after a new password", s.ResetPassword(ctx, []byte("second"), "new", t0), webhook.ErrNotFound)
	must(startReset(t, s, u.Email, "by themselves"))(t)
	ok(t, s.SetPassword(ctx, u.ID, "new", nil, at(t0)))
	wantError(t, "after another one", s.ResetPassword(ctx, []byte("by themselves"), "new", t0), webhook.ErrNotFound)
	ok(t, s.RemoveUser(ctx, a.ID, other.ID, at(t0)))
	wantError(t, "of a user who is gone", s.ResetPassword(ctx, []byte("other"), "new", t0), webhook.ErrNotFound)
	third := newUser(t, s, a.ID, "z@example.com")
	must(startReset(t, s, third.Email, "third"))(t)
	prune(t, s, t0.Add(-time.Hour), t0.Add(time.Hour), 9)
	_, err := s.UserByReset(ctx, []byte("third"), t0)
	wantError(t, "pruned", err, webhook.ErrNotFound)
}

// testResetFlood: however often somebody asks, a user gets some links only, all of which
// work; a message that is tried again is still the same one.
func testResetFlood(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	u, other := newUser(t, s, a.ID, "x@example.com"), newUser(t, s, a.ID, "y@example.com")
	for i := range webhook.MaxResets {
		ok(t, s.RequestReset(ctx, u.Email, t0))
		m := must(s.ClaimMail(ctx, t0, lease))(t)
		for attempt := range 3 {
			must(s.StartReset(ctx, m, []byte{byte(i), byte(attempt)}, t0.Add(time.Hour)))(t)
		}
	}
	_, err := startReset(t, s, u.Email, "one more")
	wantError(t, "one more", err, webhook.ErrNotFound)
	for i := range webhook.MaxResets {
		must(s.UserByReset(ctx, []byte{byte(i), 2}, t0))(t)
	}
	must(startReset(t, s, other.Email, "other"))(t)
	later := t0.Add(webhook.ResetTerm)
	ok(t, s.RequestReset(ctx, u.Email, later))
	for { // past the one that got none
		m := must(s.ClaimMail(ctx, later, later.Add(time.Hour)))(t)
		if m.CreatedAt.Equal(later) {
			must(s.StartReset(ctx, m, []byte("later"), later.Add(time.Hour)))(t)
			return
		}
	}
}

// testResetRequests: strangers can fill no more than some room, which becomes free again.
func testResetRequests(t *testing.T, s *db.Store) {
	ctx := t.Context()
	ok(t, s.Enqueue(ctx, t0, slices.Repeat([]webhook.Mail{{To: "x@example.com", Kind: webhook.MailReset}}, webhook.MaxWaitingResets-1)...))
	ok(t, s.RequestReset(ctx, "x@example.com", t0))
	wantError(t, "one more", s.RequestReset(ctx, "x@example.com", t0), webhook.ErrBusy)
	invite(t, s, newAccount(t, s).ID, "tim@example.com")
	ok(t, s.DropMail(ctx, must(s.ClaimMail(ctx, t0, lease))(t)))
	ok(t, s.RequestReset(ctx, "x@example.com", t0))
}

// testInvitationFlood: an account cannot flood the mailbox of somebody, nor those of many.
func testInvitationFlood(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	i := invite(t, s, a.ID, "tim@example.com")
	for range webhook.MaxInvitationsTo - 1 {
		must(s.SendInvitation(ctx, a.ID, i.ID, at(t0)))(t)
	}
	limited := func(what webhook.Limited, err error) {
		t.Helper()
		reached, is := errors.AsType[webhook.LimitReached](err)
		same(t, "limit", []any{is, reached.What}, []any{true, what})
	}
	_, err := s.SendInvitation(ctx, a.ID, i.ID, at(t0))
	limited(webhook.LimitedInvitationsTo, err)
	must(s.WithdrawInvitation(ctx, a.ID, i.ID, at(t0)))(t)
	again := webhook.Invitation{Account: a.ID, Email: "tim@example.com", Role: webhook.RoleStaff}
	_, err = s.AddInvitation(ctx, again, at(t0))
	limited(webhook.LimitedInvitationsTo, err)
	invite(t, s, other.ID, "tim@example.com")
	for n := webhook.MaxInvitationsTo; n < webhook.MaxInvitations; n++ {
		i := invite(t, s, a.ID, strconv.Itoa(n)+"@example.com")
		must(s.WithdrawInvitation(ctx, a.ID, i.ID, at(t0)))(t)
	}
	_, err = s.AddInvitation(ctx, webhook.Invitation{Account: a.ID, Email: "one-more@example.com", Role: webhook.RoleStaff}, at(t0))
	limited(webhook.LimitedInvitations, err)
	must(s.AddInvitation(ctx, again, at(t0.Add(webhook.InvitationsWithin))))(t)
}

func testResetNobody(t *testing.T, s *db.Store) {
	_, err := startReset(t, s, "nobody@example.com", "h")
	wantError(t, "nobody", err, webhook.ErrNotFound)
}
