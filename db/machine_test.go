package db_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"runtime"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/webhook"
)

// Each check takes some 30 steps in an account of its own. For longer:
// go test ./db -run /model -rapid.checks=10000
// A failure prints how to repeat it. Without the flag it ends after modelTime: the
// race detector makes the same ten times as slow.
var modelTests = []test{{"random steps", testModel}}

const modelTime = 6 * time.Second

func testModel(t *testing.T, s *db.Store) {
	subject, end := newSubject(s), time.Now().Add(modelTime)
	flag.Visit(func(f *flag.Flag) {
		if f.Name == "rapid.checks" {
			end = time.Now().Add(24 * time.Hour)
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		if time.Now().Before(end) {
			subject.check(t)
		}
	})
}

// subject is the store that is held against the model. A mutant has something else
// in place of one of its methods.
type subject struct {
	*db.Store
	now     time.Time // of the last step of all checks
	finish  func(context.Context, webhook.Result, time.Time) (webhook.Finished, error)
	claim   func(context.Context, webhook.Claim) ([]webhook.Job, webhook.Due, error)
	release func(ctx context.Context, id webhook.DeliveryID, number int, lease, now time.Time) error
	recover func(context.Context, time.Time) error
	of      webhook.AccountID // of the present check
}

// newSubject is a store without faults.
func newSubject(s *db.Store) *subject {
	return &subject{Store: s, now: t0, finish: s.Finish, claim: s.Claim, release: s.Release, recover: recoverAll(s)}
}

// recoverAll does what a process does that is the only one, when it starts.
func recoverAll(s *db.Store) func(context.Context, time.Time) error {
	return func(ctx context.Context, now time.Time) error {
		return errors.Join(s.CleanUp(ctx, true, now), s.RecoverClaims(ctx, webhook.AllShards, now))
	}
}

// machine does the same to a store and to the model of an account.
type machine struct {
	*subject
	*rapid.T
	model
	steps    int
	claims   []claimed
	released []claimed // of which nobody learned
}

// claimed is an attempt of which a result can come, now or too late.
type claimed struct {
	delivery webhook.DeliveryID
	webhook  webhook.WebhookID
	number   int
	lease    time.Time
	test     bool
	replay   webhook.ReplayID
}

// check is one property check: random steps, and after each the same state.
func (s *subject) check(t *rapid.T) {
	a := webhook.Account{Name: "Sail & Sea ⛵", TimeZone: "Europe/Berlin", WebhookLimit: 4, CreatedAt: s.now}
	m := &machine{subject: s, T: t}
	a, err := s.AddAccount(t.Context(), a, at(s.now))
	m.succeed(err)
	m.account, s.of = a, a.ID
	m.createWebhook()
	t.Repeat(m.actions())
	m.drain()
	m.prune(m.now.Add(time.Hour))
	m.compareAll()
}

// actions are what can happen. What is listed twice happens more often.
func (m *machine) actions() map[string]func(*rapid.T) {
	act := func(do func()) func(*rapid.T) { return func(*rapid.T) { do() } }
	return map[string]func(*rapid.T){
		"create": act(m.createWebhook), "update": act(m.updateWebhook), "switch": act(m.switchWebhook), "delete": act(m.deleteWebhook), "rotate": act(m.rotateSecret),
		"insert": act(m.insert), "insert more": act(m.insert), "insert stale": act(m.insertStale), "complete": act(m.completeLookups),
		"inline": act(m.insertInline), "test": act(m.test), "send": act(m.send), "retry oldest": act(m.retryOldest),
		"start replay": act(m.startReplay), "cancel replay": act(m.cancelReplay), "claim bulk": act(m.claimBulk), "claim more bulk": act(m.claimBulk),
		"claim": act(m.claimDue), "claim more": act(m.claimDue),
		"finish": act(m.finishOne), "finish more": act(m.finishOne), "finish most": act(m.finishOne), "release": act(m.releaseOne),
		"retry": act(m.retryNowOne), "restart": act(m.restart), "replay": act(m.replayOne), "replay more": act(m.replayOne), "cancel": act(m.cancelOne),
		"prune": func(t *rapid.T) { m.prune(m.now.Add(-m.duration("age"))) },
		"wait":  func(t *rapid.T) { m.wait(m.duration("for")) },
		"":      act(m.compare),
	}
}

func (m *machine) duration(label string) time.Duration {
	return rapid.SampledFrom([]time.Duration{0, time.Second, 45 * time.Second, 10 * time.Minute, 20 * time.Hour, 50 * time.Hour}).Draw(m.T, label)
}

// wait moves the clock, and the time in the ids.
func (m *machine) wait(d time.Duration) {
	if m.now = m.now.Add(d); d > 0 {
		m.Pass(d)
	}
}

// drain delivers all that is waiting, so that nothing is ever stuck.
func (m *machine) drain() {
	for _, h := range m.hooks {
		if !h.deleted {
			m.setEnabledOf(h, true)
		}
	}
	m.completeAll()
	m.wait(50 * time.Hour)
	pending := func(d *modelDelivery) bool { return d.State == webhook.Pending && !d.Inline }
	for m.isSending() || slices.ContainsFunc(m.deliveries, pending) {
		m.wait(replayGap)
		sent := m.claims
		for _, h := range m.hooks {
			m.claimOf(h, 100, 100, false)
		}
		if len(m.claims) == len(sent) && !m.isSending() {
			break
		}
		for _, c := range m.claims[len(sent):] {
			m.result(c, "success")
		}
	}
	m.restart()
	for _, d := range m.deliveries {
		if d.State == webhook.Pending {
			m.Fatalf("%s never gets its turn: %+v", d.ID, d)
		}
	}
	if m.running() > 0 {
		m.Fatalf("%d bulk replays never end", m.running())
	}
}

func (m *machine) succeed(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) wantError(what string, got, want error) {
	m.Helper()
	if !errors.Is(got, want) {
		m.Fatalf("%s: got error %v, want %v", what, got, want)
	}
}

func (m *machine) wantInvalid(what string, got error) {
	m.Helper()
	if _, is := errors.AsType[webhook.Invalid](got); !is {
		m.Fatalf("%s: got error %v, want webhook.Invalid", what, got)
	}
}

// equal compares values as their JSON.
func (m *machine) equal(what string, got, want any) {
	m.Helper()
	g, err := json.Marshal(got)
	m.succeed(err)
	w, err := json.Marshal(want)
	m.succeed(err)
	if string(g) != string(w) {
		m.Fatalf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}

// TestModelFindsFaults: a store that has one of these faults does not pass.
func TestModelFindsFaults(t *testing.T) {
	for name, value := range map[string]string{"rapid.nofailfile": "true", "rapid.shrinktime": "0s", "rapid.seed": "4"} {
		was := flag.Lookup(name).Value.String()
		ok(t, flag.Set(name, value))
		t.Cleanup(func() { ok(t, flag.Set(name, was)) })
	}
	for name, mutate := range map[string]func(*subject){
		"any result moves a delivery": func(s *subject) {
			s.finish = func(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
				if d, err := s.Delivery(ctx, s.of, r.Delivery); err == nil {
					r.Attempt.Number = d.Attempts
				}
				return s.Finish(ctx, r, now)
			}
		},
		"a claim has no lease": func(s *subject) {
			s.claim = func(ctx context.Context, c webhook.Claim) ([]webhook.Job, webhook.Due, error) {
				c.Lease = c.Now
				return s.Claim(ctx, c)
			}
		},
		"what is released stays claimed": func(s *subject) {
			s.release = func(context.Context, webhook.DeliveryID, int, time.Time, time.Time) error { return nil }
		},
		"nothing is recovered": func(s *subject) {
			s.recover = func(context.Context, time.Time) error { return nil }
		},
		"a result is not counted for its bulk replay": func(s *subject) {
			s.finish = func(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
				r.Replay = 0
				return s.Finish(ctx, r, now)
			}
		},
		"bulk replays go before what is due": func(s *subject) {
			s.claim = func(ctx context.Context, c webhook.Claim) ([]webhook.Job, webhook.Due, error) {
				if c.Bulk > 0 {
					c.N = 0
				}
				return s.Claim(ctx, c)
			}
		},
		"a result is recorded with the wrong state": func(s *subject) {
			s.finish = func(ctx context.Context, r webhook.Result, now time.Time) (webhook.Finished, error) {
				if r.State == webhook.Failed {
					r.State = webhook.Cancelled
				}
				return s.Finish(ctx, r, now)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			mutant := newSubject(openFile(t, dbtest.At(t)))
			mutate(mutant)
			if !fails(t, mutant.check) {
				t.Error("it passes the checks")
			}
		})
	}
}

// fails reports whether the checks of a property fail.
func fails(t *testing.T, property func(*rapid.T)) bool {
	trial := &trial{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		rapid.Check(trial, property)
	}()
	<-done
	return trial.failed
}

// trial is a test that may fail.
type trial struct {
	testing.TB
	failed bool
}

func (t *trial) Logf(string, ...any)   {}
func (t *trial) Log(...any)            {}
func (t *trial) Error(...any)          { t.failed = true }
func (t *trial) Errorf(string, ...any) { t.failed = true }
func (t *trial) Fail()                 { t.failed = true }
func (t *trial) Failed() bool          { return t.failed }
func (t *trial) Fatal(...any)          { t.FailNow() }
func (t *trial) Fatalf(string, ...any) { t.FailNow() }
func (t *trial) FailNow() {
	t.failed = true
	runtime.Goexit()
}
