package notices

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"bookhook/fallback"
	"bookhook/incidents"
	"bookhook/stats"
	"bookhook/webhook"
)

// WatchStore is what the watcher needs of the database.
type WatchStore interface {
	KnownIncidents(ctx context.Context, since time.Time) ([]incidents.Incident, error)
	ChangeIncident(ctx context.Context, c incidents.Change, notice incidents.Notice, now time.Time) error
	Troubles(ctx context.Context, also []webhook.WebhookID) ([]incidents.Trouble, error)
	RejectedLately(ctx context.Context, since time.Time) ([]incidents.Rejections, error)
	Silences(ctx context.Context, account webhook.AccountID, now time.Time) ([]stats.Silence, error)
	Accounts(ctx context.Context) ([]webhook.AccountUse, error)
	LastBackup(ctx context.Context) (time.Time, error)
	Fallbacks(ctx context.Context, failing []webhook.WebhookID) ([]fallback.Fallback, error)
	QueueFallback(ctx context.Context, f fallback.Fallback, m fallback.Mail, now time.Time) error
}

// Watcher looks for what is wrong, and stores which incidents begin and end. Several
// processes may do so on one database.
type Watcher struct {
	Store WatchStore
	Free  func() (uint64, error) // bytes of the disk that the database is on
	Least uint64                 // of them, as there should be
	Mail  bool                   // people are notified by e-mail
	Words *Worker                // writes what the events for webhooks say; it need not run
	Log   *slog.Logger
}

const (
	lookEvery    = 30 * time.Second // a message is sent within 2 minutes of its cause
	silenceEvery = 10 * time.Minute // the counts of weeks are read for it
)

// Run watches until ctx ends. The first look is not at once, when everything else
// starts, too.
func (w *Watcher) Run(ctx context.Context) {
	var listened time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(lookEvery):
		}
		now := time.Now()
		err := w.look(ctx, now)
		if now.Sub(listened) >= silenceEvery {
			listened = now
			err = errors.Join(err, w.listen(ctx, now))
		}
		if err != nil && ctx.Err() == nil {
			w.Log.Error("what is wrong could not be found out", "error", err)
		}
	}
}

// look compares what is so now with the incidents that are known, silence aside.
func (w *Watcher) look(ctx context.Context, now time.Time) error {
	known, err := w.known(ctx, now, func(k incidents.Key) bool { return k.Kind != incidents.Silence })
	if err != nil {
		return err
	}
	var also []webhook.WebhookID
	for _, i := range known {
		if id := i.Webhook(); id != 0 && i.ClosedAt.IsZero() {
			also = append(also, id)
		}
	}
	troubles, err := w.Store.Troubles(ctx, also)
	if err != nil {
		return err
	}
	var conditions []incidents.Condition
	for _, t := range troubles {
		conditions = append(conditions, t.Conditions(now)...)
	}
	rejected, err := w.Store.RejectedLately(ctx, now.Add(-incidents.RejectedFor))
	if err != nil {
		return err
	}
	for _, r := range rejected {
		conditions = append(conditions, r.Condition(now))
	}
	backup, err := w.Store.LastBackup(ctx)
	if err != nil {
		return err
	}
	conditions = append(conditions, w.disk(), incidents.BackupCondition(backup, now))
	return errors.Join(w.change(ctx, incidents.Decide(now, conditions, known), now), w.sendFallbacks(ctx, now))
}

// sendFallbacks queues what is due of the bookings of webhooks that fail, and the last
// messages about those that no longer do.
func (w *Watcher) sendFallbacks(ctx context.Context, now time.Time) (failed error) {
	if !w.Mail {
		return nil
	}
	outages, err := w.known(ctx, now, func(k incidents.Key) bool { return k.Kind == incidents.Outage })
	if err != nil {
		return err
	}
	open := map[webhook.WebhookID]incidents.Incident{}
	for _, i := range outages {
		if i.ClosedAt.IsZero() {
			open[i.Webhook()] = i
		}
	}
	all, err := w.Store.Fallbacks(ctx, slices.Collect(maps.Keys(open)))
	if err != nil {
		return err
	}
	for _, f := range all {
		m, due := f.Next(open[f.Webhook], now)
		if !due {
			continue
		}
		err := w.Store.QueueFallback(ctx, f, m, now)
		switch {
		case errors.Is(err, webhook.ErrConflict), errors.Is(err, webhook.ErrNotFound): // done by another process, or there is nothing to list
		case err != nil:
			failed = errors.Join(failed, err)
		case !m.Empty():
			w.Log.Info("bookings of a webhook by e-mail", "account", f.Account, "webhook", f.Webhook, "last", string(m.Last))
		}
	}
	return failed
}

// disk returns what is so about the disk. If that is not known, nothing changes.
func (w *Watcher) disk() incidents.Condition {
	free, err := w.Free()
	if err != nil {
		return incidents.Condition{Key: incidents.Key{Kind: incidents.Disk}}
	}
	return incidents.DiskCondition(free, w.Least)
}

// listen is look for silence.
func (w *Watcher) listen(ctx context.Context, now time.Time) (failed error) {
	accounts, err := w.Store.Accounts(ctx)
	if err != nil {
		return err
	}
	all, err := w.known(ctx, now, func(k incidents.Key) bool { return k.Kind == incidents.Silence })
	if err != nil {
		return err
	}
	byAccount := map[webhook.AccountID][]incidents.Incident{}
	for _, i := range all {
		byAccount[i.Account] = append(byAccount[i.Account], i)
	}
	for _, a := range accounts {
		known := byAccount[a.ID]
		silent, err := w.Store.Silences(ctx, a.ID, now)
		if err == nil {
			err = w.change(ctx, incidents.Decide(now, incidents.SilenceConditions(a.ID, silent, known), known), now)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}

func (w *Watcher) known(ctx context.Context, now time.Time, about func(incidents.Key) bool) (known []incidents.Incident, err error) {
	all, err := w.Store.KnownIncidents(ctx, now.Add(-incidents.Remembered))
	for _, i := range all {
		if about(i.Key) {
			known = append(known, i)
		}
	}
	return known, err
}

// change stores decisions. One that another process made meanwhile is left to it. What
// goes wrong with one does not keep the others from being stored.
func (w *Watcher) change(ctx context.Context, changes []incidents.Change, now time.Time) (failed error) {
	for _, c := range changes {
		notice := incidents.Notice{Mail: w.Mail}
		if c.Tell && c.To.Account != 0 {
			var err error
			if notice.Event, err = w.Words.event(ctx, c.To, now); err != nil {
				failed = errors.Join(failed, err) // people are told all the same
			}
		}
		err := w.Store.ChangeIncident(ctx, c, notice, now)
		switch {
		case errors.Is(err, webhook.ErrConflict):
		case err != nil:
			failed = errors.Join(failed, err)
		default:
			w.Log.Info("incident", "account", c.To.Account, "kind", c.To.Kind, "subject", c.To.Subject, "stage", int(c.To.Stage), "open", c.To.ClosedAt.IsZero(), "told", c.Tell)
		}
	}
	return failed
}
