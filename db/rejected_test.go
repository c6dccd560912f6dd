package db_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/webhook"
)

var rejectedTests = []test{
	{"round trip", testRejected},
	{"the same again is counted", testRejectedAgain},
	{"a long body is cut", testRejectedCut},
	{"page by page", testRejectedPages},
	{"of one account only", testForeignRejected},
	{"no more than the newest", testManyRejected},
	{"deleted", testDeleteRejected},
}

// rejected is a request of Wink that could not be read.
func rejected(account webhook.AccountID, body string) webhook.RejectedRequest {
	return webhook.RejectedRequest{
		Account: account, Platform: "wink", Method: "POST", Query: "a=1&b=%ff", ContentType: "text/plain; charset=utf-8",
		Body: []byte(body), Status: 422, Why: webhook.NewMessage("events.unknown", "späte"),
	}
}

func bodies(list []webhook.RejectedRequest) []string {
	texts := []string{}
	for _, u := range list {
		texts = append(texts, string(u.Body))
	}
	return texts
}

func testRejected(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	same(t, "nothing", must(s.CountRejectedRequests(ctx, a.ID))(t), 0)
	want := rejected(a.ID, "\x00\xff{")
	ok(t, s.AddRejectedRequest(ctx, want, t0))
	got := must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)
	same(t, "rows", len(got), 1)
	want.ID, want.Times, want.LastAt = got[0].ID, 1, t0
	same(t, "kept", got[0], want)
	same(t, "counted", must(s.CountRejectedRequests(ctx, a.ID))(t), 1)
	nothing := webhook.RejectedRequest{Account: a.ID, Platform: "wink", Method: "POST", Status: 413, Why: webhook.NewMessage("json.too_deep", 64), Truncated: true}
	ok(t, s.AddRejectedRequest(ctx, nothing, t0))
	got = must(s.RejectedRequests(ctx, a.ID, 0, 1))(t)
	nothing.ID, nothing.Times, nothing.LastAt = got[0].ID, 1, t0
	same(t, "without a body", got[0], nothing)
}

func testRejectedAgain(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	later := t0.Add(time.Hour)
	for i := range 3 {
		ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "x"), t0.Add(time.Duration(i)*time.Hour)))
	}
	for _, change := range []func(*webhook.RejectedRequest){
		func(u *webhook.RejectedRequest) { u.Platform = "ltd" },
		func(u *webhook.RejectedRequest) { u.Method = "GET" },
		func(u *webhook.RejectedRequest) { u.Query = "" },
		func(u *webhook.RejectedRequest) { u.ContentType = "" },
		func(u *webhook.RejectedRequest) { u.Body = nil },
		func(u *webhook.RejectedRequest) { u.Why = webhook.Message{} },
		func(u *webhook.RejectedRequest) { u.Query, u.ContentType = u.Query+"t", u.ContentType[1:] },
	} {
		u := rejected(a.ID, "x")
		change(&u)
		ok(t, s.AddRejectedRequest(ctx, u, later))
	}
	got := must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)
	same(t, "rows", len(got), 8)
	first := got[len(got)-1]
	same(t, "times", first.Times, 3)
	same(t, "last", first.LastAt, t0.Add(2*time.Hour))
}

func testRejectedCut(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	start := strings.Repeat("x", webhook.MaxRejectedBody)
	for _, end := range []string{"", "y", "z"} {
		ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, start+end), t0))
	}
	got := must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)
	same(t, "two that differ behind the cut", len(got), 3)
	for i, truncated := range []bool{true, true, false} {
		same(t, "truncated", got[i].Truncated, truncated)
		same(t, "the beginning", bytes.Equal(got[i].Body, []byte(start)), true)
	}
}

func testRejectedPages(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a := newAccount(t, s)
	for _, body := range []string{"a", "b", "c"} {
		ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, body), t0))
	}
	first := must(s.RejectedRequests(ctx, a.ID, 0, 2))(t)
	same(t, "the newest", bodies(first), []string{"c", "b"})
	same(t, "the rest", bodies(must(s.RejectedRequests(ctx, a.ID, first[1].ID, 2))(t)), []string{"a"})
}

func testManyRejected(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	ok(t, s.AddRejectedRequest(ctx, rejected(other.ID, "other"), t0))
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "first"), t0))
	atOnce(t, webhook.MaxRejected-1, func(i int) error {
		return s.AddRejectedRequest(ctx, rejected(a.ID, strconv.Itoa(i)), t0)
	})
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "first"), t0))
	got := must(s.RejectedRequests(ctx, a.ID, 0, 2*webhook.MaxRejected))(t)
	same(t, "as many as may be", len(got), webhook.MaxRejected)
	same(t, "the first", bodies(got[len(got)-1:]), []string{"first"})
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "last"), t0))
	got = must(s.RejectedRequests(ctx, a.ID, 0, 2*webhook.MaxRejected))(t)
	same(t, "one more", len(got), webhook.MaxRejected)
	same(t, "the newest", bodies(got[:1]), []string{"last"})
	if slices.Contains(bodies(got), "first") {
		t.Error("the oldest is still there")
	}
	same(t, "of another account", must(s.CountRejectedRequests(ctx, other.ID))(t), 1)
}

func testForeignRejected(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, me := newAccount(t, s), newAccount(t, s)
	for _, account := range []webhook.AccountID{a.ID, me.ID, me.ID} { // the same bytes are not the same request
		ok(t, s.AddRejectedRequest(ctx, rejected(account, "x"), t0))
	}
	for account, times := range map[webhook.AccountID]int{a.ID: 1, me.ID: 2} {
		got := must(s.RejectedRequests(ctx, account, 0, 9))(t)
		same(t, "rows", len(got), 1)
		same(t, "times", got[0].Times, times)
		same(t, "count", must(s.CountRejectedRequests(ctx, account))(t), 1)
	}
	same(t, "of nobody", len(must(s.RejectedRequests(ctx, 1, 0, 9))(t)), 0)
}

func testDeleteRejected(t *testing.T, s *db.Store) {
	ctx := t.Context()
	a, other := newAccount(t, s), newAccount(t, s)
	for _, r := range []webhook.RejectedRequest{rejected(a.ID, "x"), rejected(a.ID, "y"), rejected(other.ID, "x")} {
		ok(t, s.AddRejectedRequest(ctx, r, t0))
	}
	ok(t, s.AddRejectedRequest(ctx, rejected(a.ID, "later"), t0.Add(time.Second)))
	for _, want := range []int64{2, 0} {
		same(t, "deleted", must(s.DeleteRejectedRequests(ctx, a.ID, t0, at(t0)))(t), want)
	}
	same(t, "left", bodies(must(s.RejectedRequests(ctx, a.ID, 0, 9))(t)), []string{"later"})
	same(t, "of another account", must(s.CountRejectedRequests(ctx, other.ID))(t), 1)
	log := must(s.Audit(ctx, a.ID, 0, 9))(t)
	same(t, "log", []any{log[0].Action, log[0].Args, log[1].Action != "rejected.deleted"}, []any{"rejected.deleted", []string{"2"}, true})
}
