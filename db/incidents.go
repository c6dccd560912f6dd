package db

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"bookhook/incidents"
	"bookhook/webhook"
)

const incidentColumns = `id, account_id, kind, subject, stage, details, opened_at, cleared_at, closed_at`

func scanIncident(r scanner) (i incidents.Incident, err error) {
	err = r.Scan(&i.ID, &i.Account, &i.Kind, &i.Subject, &i.Stage, jsonScanner{&i.Details}, timeScanner{&i.OpenedAt}, timeScanner{&i.ClearedAt}, timeScanner{&i.ClosedAt})
	return i, err
}

// KnownIncidents lists the incidents of all accounts and of the instance that are open
// or ended since.
func (s *Store) KnownIncidents(ctx context.Context, since time.Time) ([]incidents.Incident, error) {
	return list(ctx, s.engine, scanIncident, `SELECT `+incidentColumns+` FROM incidents WHERE closed_at = 0 OR closed_at >= $1`, toMillis(since))
}

// Incidents lists the incidents of an account (0: of the instance) that are open, and
// then those that ended since; of both the newest first.
func (s *Store) Incidents(ctx context.Context, account webhook.AccountID, since time.Time, limit int) ([]incidents.Incident, error) {
	return list(ctx, s.engine, scanIncident, `SELECT `+incidentColumns+` FROM incidents WHERE account_id = $1 AND (closed_at = 0 OR closed_at >= $2)
		ORDER BY CASE WHEN closed_at = 0 THEN 0 ELSE 1 END, id DESC LIMIT $3`, account, toMillis(since), limit)
}

// Incident finds an incident of an account (0: of the instance).
func (s *Store) Incident(ctx context.Context, account webhook.AccountID, id webhook.IncidentID) (incidents.Incident, error) {
	return scanIncident(queryRow(ctx, s.engine, `SELECT `+incidentColumns+` FROM incidents WHERE account_id = $1 AND id = $2`, account, id))
}

// ChangeIncident stores a decision and, if it is to be told, queues a message for each
// person who wants to know, and the event for each webhook that selects it. It returns
// webhook.ErrConflict if another process has changed the incident since it was read.
func (s *Store) ChangeIncident(ctx context.Context, c incidents.Change, notice incidents.Notice, now time.Time) error {
	return s.write(ctx, func(tx transaction) error {
		to := c.To
		var changed int64
		var err error
		if to.ID == 0 {
			to.ID = webhook.IncidentID(s.nextID())
			changed, err = tx.Exec(ctx, `INSERT INTO incidents (id, account_id, kind, subject, stage, details, opened_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
				ON CONFLICT (account_id, kind, subject) WHERE closed_at = 0 DO NOTHING`,
				to.ID, to.Account, string(to.Kind), to.Subject, int64(to.Stage), toJSON(to.Details), toMillis(to.OpenedAt))
		} else {
			changed, err = tx.Exec(ctx, `UPDATE incidents SET stage = $2, details = $3, cleared_at = $4, closed_at = $5
				WHERE id = $1 AND closed_at = 0 AND stage = $6 AND cleared_at = $7`,
				to.ID, int64(to.Stage), toJSON(to.Details), toMillis(to.ClearedAt), toMillis(to.ClosedAt), int64(c.From.Stage), toMillis(c.From.ClearedAt))
		}
		switch {
		case err != nil:
			return err
		case changed == 0:
			return webhook.ErrConflict
		case !c.Tell:
			return nil
		case notice.Mail:
			if err := s.tell(ctx, tx, to, now); err != nil {
				return err
			}
		}
		return s.insertOwn(ctx, tx, to.Account, notice.Event, now)
	})
}

// insertOwn stores one of Bookhook's own events of an account, if a webhook selects it.
func (s *Store) insertOwn(ctx context.Context, tx transaction, account webhook.AccountID, e webhook.Event, now time.Time) error {
	if account == 0 || e.Type == "" {
		return nil
	}
	subscriptions, err := s.current(ctx, tx, account)
	if err != nil {
		return err
	}
	p := webhook.NewPlan(subscriptions, []webhook.Event{e}, roundMillis(now), time.Time{})
	if !slices.ContainsFunc(p.Events[0].Decisions, func(d webhook.Decision) bool { return d.Reason != webhook.ReasonEvent }) {
		return nil
	}
	in := newArrival(p.Events[0].Event)
	accepted, err := s.accept(ctx, tx, p, 0, &in)
	for _, id := range accepted.Waiting {
		tx.touch(account, id, webhook.TouchDue)
	}
	return err
}

// tell queues a message about an incident for everybody who wants to know.
func (s *Store) tell(ctx context.Context, tx transaction, i incidents.Incident, now time.Time) error {
	people, err := noticed(ctx, tx, i.Account)
	if err != nil {
		return err
	}
	for _, p := range people {
		if !p.settings.Wants(i.Kind) {
			continue
		}
		sent, err := incidentMails(ctx, tx, p.user, i.Account, now)
		if err != nil {
			return err
		}
		mail, room := incidents.Mail{Incident: i.ID, Stage: i.Stage, End: !i.ClosedAt.IsZero(), Kind: i.Kind}.After(sent)
		if !room {
			continue
		}
		args, err := json.Marshal(mail)
		if err != nil {
			return err
		}
		m := webhook.Mail{Account: i.Account, User: p.user, To: p.email, Kind: webhook.MailIncident, Args: args, NextAt: p.settings.Quiet.End(now, p.location)}
		if _, err := s.enqueue(ctx, tx, m, now); err != nil {
			return err
		}
	}
	return nil
}

// incidentMails lists the messages about incidents of an account (0: of the instance) that
// a user got within 24 hours.
func incidentMails(ctx context.Context, q querier, user webhook.UserID, account webhook.AccountID, now time.Time) ([]incidents.Mail, error) {
	scan := func(r scanner) (m incidents.Mail, err error) {
		err = r.Scan(jsonScanner{&m})
		return m, err
	}
	return list(ctx, q, scan, `SELECT args FROM outbox WHERE user_id = $1 AND id >= $2 AND kind = $3 AND COALESCE(account_id, 0) = $4`,
		user, webhook.FirstID[webhook.MailID](now.Add(-24*time.Hour)), string(webhook.MailIncident), account)
}

// noticedPerson is somebody who may want to be told.
type noticedPerson struct {
	user     webhook.UserID
	email    string
	settings incidents.Settings
	location *time.Location
}

// noticed lists the people of an account, or the administrators of the instance if
// that is 0.
func noticed(ctx context.Context, q querier, account webhook.AccountID) ([]noticedPerson, error) {
	scan := func(r scanner) (p noticedPerson, err error) {
		var role webhook.Role
		var a webhook.Account
		err = r.Scan(append([]any{&p.user, &p.email, &role, &a.TimeZone}, settingsScanner(&p.settings)...)...)
		p.location = a.Location()
		if p.settings.Muted == nil {
			p.settings = incidents.DefaultSettings(role)
		}
		return p, err
	}
	query := `SELECT u.id, u.email, u.role, COALESCE(a.time_zone, 'UTC'), ` + settingsColumns + `
		FROM users u LEFT JOIN notice_settings n ON n.user_id = u.id LEFT JOIN accounts a ON a.id = u.account_id WHERE `
	if account == 0 {
		return list(ctx, q, scan, query+`u.role = 'admin'`)
	}
	return list(ctx, q, scan, query+`u.account_id = $1`, account)
}

const settingsColumns = `COALESCE(n.mail, 0), COALESCE(n.muted, 'null'), COALESCE(n.quiet_from, 0), COALESCE(n.quiet_until, 0)`

// settingsScanner scans settingsColumns; Muted is nil if the person has chosen nothing.
func settingsScanner(s *incidents.Settings) []any {
	return []any{&s.Mail, jsonScanner{&s.Muted}, &s.Quiet.From, &s.Quiet.Until}
}

// NoticeSettings returns what a user wants to be told.
func (s *Store) NoticeSettings(ctx context.Context, user webhook.UserID) (settings incidents.Settings, err error) {
	var role webhook.Role
	err = queryRow(ctx, s.engine, `SELECT u.role, `+settingsColumns+` FROM users u LEFT JOIN notice_settings n ON n.user_id = u.id WHERE u.id = $1`, user).
		Scan(append([]any{&role}, settingsScanner(&settings)...)...)
	if err == nil && settings.Muted == nil {
		settings = incidents.DefaultSettings(role)
	}
	return settings, err
}

// SaveNoticeSettings sets what a user wants to be told. What is waiting for the user is
// not sent if it is unwanted now.
func (s *Store) SaveNoticeSettings(ctx context.Context, user webhook.UserID, settings incidents.Settings) error {
	return s.write(ctx, func(tx transaction) error {
		return saveNoticeSettings(ctx, tx, user, settings)
	})
}

func saveNoticeSettings(ctx context.Context, tx transaction, user webhook.UserID, settings incidents.Settings) error {
	if settings.Muted == nil { // NULL is for who has chosen nothing
		settings.Muted = []incidents.Kind{}
	}
	n, err := tx.Exec(ctx, `INSERT INTO notice_settings (user_id, mail, muted, quiet_from, quiet_until)
		SELECT u.id, $2, $3, $4, $5 FROM users u WHERE u.id = $1
		ON CONFLICT (user_id) DO UPDATE SET mail = $2, muted = $3, quiet_from = $4, quiet_until = $5`,
		user, boolInt(settings.Mail), toJSON(settings.Muted), settings.Quiet.From, settings.Quiet.Until)
	if err == nil && n == 0 {
		err = webhook.ErrNotFound
	}
	return err
}

// StopNotices ends all messages about incidents to a user, and keeps what else the user
// has chosen.
func (s *Store) StopNotices(ctx context.Context, user webhook.UserID) error {
	return s.write(ctx, func(tx transaction) error {
		var settings incidents.Settings
		err := queryRow(ctx, tx, `SELECT `+settingsColumns+` FROM users u LEFT JOIN notice_settings n ON n.user_id = u.id WHERE u.id = $1`, user).
			Scan(settingsScanner(&settings)...)
		if err != nil {
			return err
		}
		settings.Mail = false
		return saveNoticeSettings(ctx, tx, user, settings)
	})
}

// NoticeLimits returns from when on an account is notified that a webhook is failing.
func (s *Store) NoticeLimits(ctx context.Context, account webhook.AccountID) (incidents.Limits, error) {
	l := incidents.DefaultLimits
	after := l.After.Milliseconds()
	err := queryRow(ctx, s.engine, `SELECT after_ms, waiting FROM notice_limits WHERE account_id = $1`, account).scanOptional(&after, &l.Waiting)
	l.After = time.Duration(after) * time.Millisecond
	return l, err
}

// SaveNoticeLimits sets from when on an account is notified that a webhook is failing.
func (s *Store) SaveNoticeLimits(ctx context.Context, account webhook.AccountID, l incidents.Limits, change webhook.Change) error {
	return s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO notice_limits (account_id, after_ms, waiting) VALUES ($1, $2, $3)
			ON CONFLICT (account_id) DO UPDATE SET after_ms = $2, waiting = $3`, account, l.After.Milliseconds(), l.Waiting)
		if err != nil {
			return err
		}
		return s.audit(ctx, tx, webhook.AuditEntry{Account: account, Change: change, Action: "account.notices", Subject: account.String()})
	})
}
