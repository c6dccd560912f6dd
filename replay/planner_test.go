package replay_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"slices"
	"strconv"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/dbtest"
	"bookhook/platforms/all"
	"bookhook/replay"
	"bookhook/webhook"
)

var t0 = time.Now().UTC().Truncate(time.Millisecond)

// shop is an account with webhooks, on a database of its own.
type shop struct {
	*db.Store
	account webhook.Account
	hooks   []*webhook.Webhook
}

func change() webhook.Change { return webhook.Change{By: "test", At: t0} }

func must[T any](value T, err error) func(tb testing.TB) T {
	return func(tb testing.TB) T {
		tb.Helper()
		if err != nil {
			tb.Fatal(err)
		}
		return value
	}
}

func newShop(tb testing.TB, hooks ...func(*webhook.Webhook)) *shop {
	tb.Helper()
	s := &shop{Store: dbtest.New(tb)}
	s.account = must(s.AddAccount(tb.Context(), webhook.Account{Name: "Sea", TimeZone: "Europe/Berlin", WebhookLimit: 10}, change()))(tb)
	for _, set := range hooks {
		s.addHook(tb, set)
	}
	return s
}

func (s *shop) addHook(tb testing.TB, set func(*webhook.Webhook)) *webhook.Webhook {
	tb.Helper()
	w := &webhook.Webhook{Account: s.account.ID, Enabled: true, Secret: "whsec_one", Config: webhook.Config{
		Name: "W" + strconv.Itoa(len(s.hooks)), URL: "https://example.com/", Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
		Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: 8,
	}}
	set(w)
	created := must(s.CreateWebhook(tb.Context(), w, nil, change()))(tb)
	s.hooks = append(s.hooks, created)
	return created
}

func anything(*webhook.Webhook) {}

// insert stores events; their deliveries are pending.
func (s *shop) insert(tb testing.TB, events ...webhook.Event) []webhook.Accepted {
	tb.Helper()
	subscriptions := must(s.Subscriptions(tb.Context(), s.account.ID))(tb)
	return must(s.Insert(tb.Context(), webhook.NewPlan(subscriptions, events, t0, t0)))(tb)
}

func event(booking, kind, data string) webhook.Event {
	return webhook.Event{Platform: webhook.DefaultPlatform, Type: kind, BookingID: booking, ChannelID: "1", Data: []byte(data)}
}

// finish ends all that is due: each delivery as told.
func (s *shop) finish(tb testing.TB, end func(webhook.Job) webhook.State) {
	tb.Helper()
	for _, w := range s.hooks {
		for {
			jobs, _, err := s.Claim(tb.Context(), webhook.Claim{Webhook: w.ID, N: 100, Now: t0, Lease: t0.Add(time.Minute)})
			if err != nil {
				tb.Fatal(err)
			}
			if len(jobs) == 0 {
				break
			}
			for _, j := range jobs {
				r := webhook.Result{
					Delivery: j.Delivery.ID, Webhook: w.ID, State: end(j), NextAt: t0.Add(time.Hour),
					Attempt: webhook.Attempt{Number: 1, StartedAt: t0, Duration: 40 * time.Millisecond, Method: "POST"},
				}
				must(s.Finish(tb.Context(), r, t0))(tb)
			}
		}
	}
}

func (s *shop) planner() *replay.Planner { return replay.New(s.Store, all.Platforms()) }

func (s *shop) count(tb testing.TB, r webhook.ReplayRequest) webhook.ReplayPlan {
	tb.Helper()
	return must(s.planner().Count(tb.Context(), s.account, r, t0))(tb)
}

// ended and gone are the data of bookings whose tours are over, and are not.
var (
	gone   = `{"xml":"<response><booking><booking_id>1</booking_id><start_date>2020-01-01</start_date><end_date>2020-01-02</end_date></booking></response>"}`
	coming = `{"xml":"<response><booking><booking_id>1</booking_id><start_date>2090-01-01</start_date><end_date>2090-01-02</end_date></booking></response>"}`
)

// candidate is an event and a webhook, as the oracle sees them.
type candidate struct {
	webhook.ReplayItem
	booking   string
	delivered bool
	chosen    bool
}

// oracle is what a request sends, by its definition alone: everything is read.
func (s *shop) oracle(tb testing.TB, r webhook.ReplayRequest) (items []webhook.ReplayItem, plan webhook.ReplayPlan) {
	tb.Helper()
	ctx := tb.Context()
	events := must(s.Events(ctx, s.account.ID, webhook.EventFilter{Limit: 10_000}))(tb).Rows
	deliveries := map[webhook.DeliveryID]webhook.Delivery{}
	for _, d := range must(s.Deliveries(ctx, s.account.ID, webhook.DeliveryFilter{Limit: 10_000}))(tb).Rows {
		deliveries[d.ID] = d.Delivery
	}
	wanted := map[webhook.DeliveryID]bool{}
	f := r.Deliveries
	f.Limit = 10_000
	for _, d := range must(s.Deliveries(ctx, s.account.ID, f))(tb).Rows {
		wanted[d.ID] = len(r.IDs) == 0 || slices.Contains(r.IDs, d.ID)
	}
	var found []candidate
	over := func(id webhook.EventID) bool {
		e := must(s.Event(ctx, s.account.ID, id))(tb)
		return string(e.Data) == gone
	}
	for _, e := range events {
		for _, w := range s.hooks {
			c := candidate{ReplayItem: webhook.ReplayItem{Event: e.ID, Webhook: w.ID}, booking: e.BookingID}
			for _, d := range e.Decisions {
				if d.Webhook == w.ID {
					c.Delivery = d.Delivery
				}
			}
			c.delivered = deliveries[c.Delivery].State == webhook.Delivered
			on := *w
			on.Enabled = true
			if r.Events == nil {
				c.chosen = wanted[c.Delivery]
			} else {
				c.chosen = c.Delivery == 0 && w.ID == r.Webhook && (r.Events.Type == "" || e.Type == r.Events.Type) &&
					(!r.Matching || webhook.Match(&on, &e.Event) == webhook.Matched) &&
					(!r.Off || slices.Contains(e.Decisions, webhook.Decision{Webhook: w.ID, Reason: webhook.ReasonDisabled}))
			}
			if e.Test {
				c.chosen, c.delivered = false, false
			}
			if c.chosen && !r.Departed && over(e.ID) {
				c.chosen = false
				plan.Departed++
			}
			found = append(found, c)
		}
	}
	items = chosen(found, r.All, &plan)
	return items, plan
}

// chosen leaves out what a later one overtakes, and counts.
func chosen(found []candidate, all bool, plan *webhook.ReplayPlan) (items []webhook.ReplayItem) {
	bookings, hooks := map[string]bool{}, map[webhook.WebhookID]bool{}
	for _, c := range found {
		older := slices.ContainsFunc(found, func(o candidate) bool {
			return c.booking != "" && o.booking == c.booking && o.Webhook == c.Webhook && o.Event > c.Event && (o.delivered || o.chosen)
		})
		switch {
		case !c.chosen:
		case older && !all:
			plan.Older++
		default:
			items = append(items, c.ReplayItem)
			hooks[c.Webhook] = true
			if c.booking != "" {
				bookings[c.booking] = true
			}
		}
	}
	plan.Deliveries, plan.Bookings, plan.Webhooks = len(items), len(bookings), len(hooks)
	return items
}

// TestPlanIsExact holds plans against their definition: random events of a few
// bookings, in all states, some sent later than their booking's next one.
func TestPlanIsExact(t *testing.T) {
	for seed := range uint64(3) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // no secret
		s := newShop(t, anything, func(w *webhook.Webhook) { w.AllEvents, w.Events = false, []string{"cancelled"} }, anything)
		kinds, datas := []string{"cancelled", "new_confirmed_web", "token_success"}, []string{gone, coming, coming}
		fill := func(n int) {
			for range n {
				booking := ""
				if random.IntN(10) > 0 {
					booking = strconv.Itoa(random.IntN(12))
				}
				s.insert(t, event(booking, kinds[random.IntN(3)], datas[random.IntN(3)]))
			}
			s.finish(t, func(webhook.Job) webhook.State {
				return []webhook.State{webhook.Failed, webhook.Failed, webhook.Delivered, webhook.Pending}[random.IntN(4)]
			})
		}
		fill(30)
		must(s.SetEnabled(t.Context(), s.account.ID, s.hooks[2].ID, false, change()))(t)
		fill(20)
		must(s.SetEnabled(t.Context(), s.account.ID, s.hooks[2].ID, true, change()))(t)
		must(s.Test(t.Context(), s.account.ID, s.hooks[0].ID, event("1", "cancelled", coming), t0))(t)
		later := s.addHook(t, func(w *webhook.Webhook) { w.Tours = webhook.NewFilter(webhook.Exclude, []string{"9"}) })
		for _, e := range must(s.Events(t.Context(), s.account.ID, webhook.EventFilter{Limit: 9}))(t).Rows[3:] {
			if !e.Test {
				must(s.Send(t.Context(), s.account.ID, e.ID, later.ID, change()))(t)
			}
		}
		fill(15)
		s.checkPlans(t)
	}
}

// checkPlans compares the plans of all kinds of requests with the oracle's.
func (s *shop) checkPlans(t *testing.T) {
	t.Helper()
	some := must(s.Deliveries(t.Context(), s.account.ID, webhook.DeliveryFilter{State: webhook.Failed, Limit: 7}))(t).Rows
	first := must(s.planner().Start(t.Context(), s.account, webhook.ReplayRequest{Deliveries: webhook.DeliveryFilter{State: webhook.Failed, Webhook: s.hooks[0].ID}}, change()))(t)
	requests := []webhook.ReplayRequest{
		{},
		{Deliveries: webhook.DeliveryFilter{State: webhook.Failed}},
		{Deliveries: webhook.DeliveryFilter{State: webhook.Delivered}},
		{Deliveries: webhook.DeliveryFilter{Webhook: s.hooks[2].ID}},
		{Deliveries: webhook.DeliveryFilter{Type: "cancelled", State: webhook.Pending}},
		{Deliveries: webhook.DeliveryFilter{Booking: "3"}},
		{IDs: []webhook.DeliveryID{some[0].ID, some[3].ID, some[6].ID}},
		{Deliveries: webhook.DeliveryFilter{Replay: first.ID}},
		{Deliveries: webhook.DeliveryFilter{Replay: first.ID, State: webhook.Failed}},
		{Deliveries: webhook.DeliveryFilter{Until: some[2].CreatedAt}},
	}
	for _, w := range s.hooks {
		requests = append(requests,
			webhook.ReplayRequest{Events: &webhook.EventFilter{}, Webhook: w.ID},
			webhook.ReplayRequest{Events: &webhook.EventFilter{}, Webhook: w.ID, Matching: true},
			webhook.ReplayRequest{Events: &webhook.EventFilter{}, Webhook: w.ID, Off: true},
			webhook.ReplayRequest{Events: &webhook.EventFilter{Type: "cancelled"}, Webhook: w.ID})
	}
	sent := 0
	for _, r := range requests {
		for _, r.All = range []bool{false, true} {
			for _, r.Departed = range []bool{false, true} {
				items, want := s.oracle(t, r)
				got := s.count(t, r)
				want.Takes = got.Takes
				if got != want {
					t.Errorf("%+v\ngot  %+v\nwant %+v", r, got, want)
				}
				sent += len(items)
				s.checkStarted(t, r, items)
			}
		}
	}
	if sent == 0 {
		t.Error("no request selects anything")
	}
}

// checkStarted starts a request, and compares its items; it is cancelled afterwards.
func (s *shop) checkStarted(t *testing.T, r webhook.ReplayRequest, want []webhook.ReplayItem) {
	t.Helper()
	kept := &keeper{Store: s.Store}
	started := must(replay.New(kept, all.Platforms()).Start(t.Context(), s.account, r, change()))(t)
	order := func(a, b webhook.ReplayItem) int {
		if a.Event != b.Event {
			return int(a.Event - b.Event)
		}
		return int(a.Webhook - b.Webhook)
	}
	if r.Events != nil && !slices.IsSortedFunc(kept.items, order) {
		t.Errorf("%+v: events out of order", r)
	}
	slices.SortFunc(kept.items, order)
	slices.SortFunc(want, order)
	if !slices.Equal(kept.items, want) || started.Total != len(want) {
		t.Errorf("%+v\ngot  %d %v\nwant %v", r, started.Total, kept.items, want)
	}
	if started.State == webhook.ReplayRunning {
		must(s.CancelReplay(t.Context(), s.account.ID, started.ID, change()))(t)
	}
}

// keeper is a store that keeps what is planned.
type keeper struct {
	replay.Store
	items []webhook.ReplayItem
}

func (k *keeper) AddReplayItems(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, items []webhook.ReplayItem) error {
	k.items = append(k.items, items...)
	return k.Store.AddReplayItems(ctx, account, id, items)
}

// TestPlanRefused: what is not the account's, or cannot be replayed.
func TestPlanRefused(t *testing.T) {
	s, other := newShop(t, anything), newShop(t, anything)
	inline := s.addHook(t, func(w *webhook.Webhook) {
		w.Kind, w.AllEvents, w.Events = webhook.Inline, false, []string{"new_temporary_web"}
	})
	elsewhere := must(other.planner().Start(t.Context(), other.account, webhook.ReplayRequest{}, change()))(t)
	for _, r := range []webhook.ReplayRequest{
		{Events: &webhook.EventFilter{}, Webhook: other.hooks[0].ID + 1},
		{Deliveries: webhook.DeliveryFilter{Replay: elsewhere.ID + 1}},
		{Events: &webhook.EventFilter{}, Webhook: inline.ID},
		{Rate: webhook.Rate{Requests: -1, Per: webhook.Minute}},
	} {
		_, counted := s.planner().Count(t.Context(), s.account, r, t0)
		_, started := s.planner().Start(t.Context(), s.account, r, change())
		for _, err := range []error{counted, started} {
			if problems, invalid := errors.AsType[webhook.Invalid](err); !invalid || len(problems) != 1 {
				t.Errorf("%+v: got %v", r, err)
			}
		}
	}
}

// TestTooManyReplays: an account runs so many at a time.
func TestTooManyReplays(t *testing.T) {
	s := newShop(t, anything)
	s.insert(t, event("1", "cancelled", coming))
	var last webhook.Replay
	for range webhook.MaxReplays {
		last = must(s.planner().Start(t.Context(), s.account, webhook.ReplayRequest{Departed: true}, change()))(t)
	}
	_, err := s.planner().Start(t.Context(), s.account, webhook.ReplayRequest{Departed: true}, change())
	if reached, ok := errors.AsType[webhook.LimitReached](err); !ok || reached.What != webhook.LimitedReplays || reached.Used != webhook.MaxReplays {
		t.Fatalf("got %v", err)
	}
	must(s.CancelReplay(t.Context(), s.account.ID, last.ID, change()))(t)
	must(s.planner().Start(t.Context(), s.account, webhook.ReplayRequest{Departed: true}, change()))(t)
}

// failing is a store whose next page fails after the client has gone.
type failing struct {
	*keeper
	cancel  context.CancelFunc
	dropped int
}

func (f *failing) AddReplayItems(ctx context.Context, account webhook.AccountID, id webhook.ReplayID, items []webhook.ReplayItem) error {
	err := f.keeper.AddReplayItems(ctx, account, id, items)
	f.cancel()
	return err
}

func (f *failing) DropReplay(ctx context.Context, account webhook.AccountID, id webhook.ReplayID) error {
	f.dropped++
	return f.Store.DropReplay(ctx, account, id)
}

// TestPlanInterrupted: nothing is left of a plan that its client did not wait for.
func TestPlanInterrupted(t *testing.T) {
	s := newShop(t, anything)
	for range 3 {
		s.insert(t, slices.Repeat([]webhook.Event{event("", "cancelled", coming)}, 400)...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	f := &failing{keeper: &keeper{Store: s.Store}, cancel: cancel}
	_, err := replay.New(f, all.Platforms()).Start(ctx, s.account, webhook.ReplayRequest{Departed: true}, change())
	if !errors.Is(err, context.Canceled) || len(f.items) == 0 || f.dropped != 1 {
		t.Errorf("got %v, %d items and %d drops", err, len(f.items), f.dropped)
	}
	if got := must(s.BulkReplays(t.Context(), s.account.ID, 0, 9))(t); len(got) != 0 {
		t.Errorf("left: %v", got)
	}
}

// stalled is a store whose pages of one account wait.
type stalled struct {
	replay.Store
	account     webhook.AccountID
	asked, goOn chan struct{}
}

func (s stalled) Candidates(ctx context.Context, account webhook.AccountID, r webhook.ReplayRequest, before webhook.DeliveryID) (webhook.Page[webhook.Candidate, webhook.DeliveryID], error) {
	if account == s.account {
		s.asked <- struct{}{}
		<-s.goOn
	}
	return s.Store.Candidates(ctx, account, r, before)
}

// TestPlansAtOnce: an account that asks for many plans at once does not read all the
// time what others have to wait for.
func TestPlansAtOnce(t *testing.T) {
	s := newShop(t, anything)
	slow := stalled{s.Store, s.account.ID, make(chan struct{}), make(chan struct{})}
	p, ended := replay.New(slow, all.Platforms()), make(chan error)
	for range 2 {
		go func() {
			_, err := p.Count(t.Context(), s.account, webhook.ReplayRequest{}, t0)
			ended <- err
		}()
		<-slow.asked
	}
	wait := func(err error) time.Duration {
		reached, _ := errors.AsType[webhook.LimitReached](err)
		return reached.Wait
	}
	if _, err := p.Count(t.Context(), s.account, webhook.ReplayRequest{}, t0); wait(err) == 0 {
		t.Errorf("counted: got %v, want a limit that passes", err)
	}
	if _, err := p.Start(t.Context(), s.account, webhook.ReplayRequest{}, change()); wait(err) == 0 {
		t.Errorf("started: got %v, want a limit that passes", err)
	}
	other := must(s.AddAccount(t.Context(), webhook.Account{Name: "Sun", TimeZone: "Europe/Berlin", WebhookLimit: 10}, change()))(t)
	must(p.Count(t.Context(), other, webhook.ReplayRequest{}, t0))(t)
	close(slow.goOn)
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	go func() { <-slow.asked }()
	must(p.Count(t.Context(), s.account, webhook.ReplayRequest{}, t0))(t)
}

// measuring is a store that notes how large the live heap is at each page.
type measuring struct {
	replay.Store
	low, high uint64
}

func (m *measuring) Candidates(ctx context.Context, account webhook.AccountID, r webhook.ReplayRequest, before webhook.DeliveryID) (webhook.Page[webhook.Candidate, webhook.DeliveryID], error) {
	var heap runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&heap)
	if m.low == 0 {
		m.low = heap.HeapAlloc
	}
	m.high = max(m.high, heap.HeapAlloc)
	return m.Store.Candidates(ctx, account, r, before)
}

// fillDeliveries stores so many deliveries that wait, of events of bookings of two.
func fillDeliveries(tb testing.TB, s *shop, n int) {
	tb.Helper()
	for from := 0; from < n; from += webhook.MaxBatch {
		batch := make([]webhook.Event, webhook.MaxBatch)
		for i := range batch {
			batch[i] = event(strconv.Itoa((from+i)*2/3), "cancelled", "{}")
		}
		s.insert(tb, batch...)
	}
}

// TestPlanMemory: a plan of 20,000 deliveries keeps 40 bytes for each booking, and one
// page.
func TestPlanMemory(t *testing.T) {
	s := newShop(t, anything)
	const n = 20_000
	fillDeliveries(t, s, n)
	m := &measuring{Store: s.Store}
	plan := must(replay.New(m, all.Platforms()).Count(t.Context(), s.account, webhook.ReplayRequest{Departed: true}, t0))(t)
	if plan.Deliveries+plan.Older != n || plan.Older == 0 {
		t.Errorf("got %+v", plan)
	}
	if most := uint64(40*plan.Bookings + 512<<10); m.high-m.low > most {
		t.Errorf("the heap grew by %d bytes, want at most %d", m.high-m.low, most)
	}
}

// BenchmarkPlan plans 100,000 deliveries, of which a third are overtaken: counted, and
// stored.
func BenchmarkPlan(b *testing.B) {
	s := newShop(b, anything)
	fillDeliveries(b, s, 100_000)
	b.Run("counted", func(b *testing.B) {
		for b.Loop() {
			must(s.planner().Count(b.Context(), s.account, webhook.ReplayRequest{Departed: true}, t0))(b)
		}
	})
	b.Run("stored", func(b *testing.B) {
		for b.Loop() {
			p := must(s.planner().Start(b.Context(), s.account, webhook.ReplayRequest{Departed: true}, change()))(b)
			must(s.CancelReplay(b.Context(), s.account.ID, p.ID, change()))(b)
		}
	})
}
