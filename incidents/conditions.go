package incidents

import (
	"time"

	"bookhook/stats"
	"bookhook/webhook"
)

// Limits are from when on an account is notified that a webhook is failing.
type Limits struct {
	After   time.Duration // of failures
	Waiting int           // or so many deliveries are waiting
}

// DefaultLimits are those of an account that has chosen none.
var DefaultLimits = Limits{After: time.Hour, Waiting: 5}

// How many waiting deliveries can be chosen.
const (
	MinWaiting = 1
	MaxWaiting = 1000
)

// Trouble is a webhook that failed, was switched off or is warned of; or that an open
// incident is about.
type Trouble struct {
	Webhook *webhook.Webhook
	Deleted bool
	Waiting int // deliveries; more than MaxWaiting are not counted
	Limits  Limits
}

// Conditions returns what is so about the webhook at now.
func (t Trouble) Conditions(now time.Time) []Condition {
	return []Condition{t.outage(now), t.certificate(now)}
}

func (t Trouble) key(k Kind) Key { return Key{t.Webhook.Account, k, t.Webhook.ID.String()} }

func (t Trouble) outage(now time.Time) Condition {
	w := t.Webhook
	c := Condition{Key: t.key(Outage), Details: Details{Name: w.Name, Since: w.FailingSince}}
	recent := !w.FailedAt.Before(now.Add(-webhook.FailingGap))
	switch {
	case t.Deleted:
		c.Over, c.Settled, c.Details.Outcome = true, true, Deleted
	case !w.Enabled && w.OffReason == webhook.OffByUser:
		c.Over, c.Settled, c.Details.Outcome = true, true, OffByPerson
	case !w.Enabled:
		c.Stage = SwitchedOff
	case w.FailingSince.IsZero():
		c.Over, c.Settled, c.Details.Outcome, c.Missed = true, t.Waiting == 0, Recovered, w.Missed
	case w.SwitchOffNear(now):
		c.Stage = SwitchOffNear
	case w.Failing() && recent && (now.Sub(w.FailingSince) >= t.Limits.After || t.Waiting >= t.Limits.Waiting):
		c.Stage = Begun
	}
	return c
}

// CertificateSoon is how long before its end people are notified of a certificate.
const CertificateSoon = 14 * 24 * time.Hour

func (t Trouble) certificate(now time.Time) Condition {
	w := t.Webhook
	c := Condition{Key: t.key(Certificate), Details: Details{Name: w.Name, Ends: w.Warnings.CertificateEnds}}
	switch ends := w.Warnings.CertificateEnds; {
	case t.Deleted || !w.Enabled:
		c.Over, c.Settled = true, true // nobody needs to know
	case ends.IsZero() || ends.After(now.Add(CertificateSoon)):
		c.Over, c.Settled, c.Details.Outcome = true, true, Recovered
	default:
		c.Stage = Begun
	}
	return c
}

// Rejections are the requests at an account's address for a platform that were
// rejected lately.
type Rejections struct {
	Account  webhook.AccountID
	Platform string
	Last     time.Time // the last of them
	Received time.Time // the last event that the platform sent
}

// When people are notified of rejected requests, and for how long they count.
const (
	RejectedWithin = time.Hour
	RejectedFor    = 24 * time.Hour
)

// Condition returns what is so about the platform at now. One good call does not end
// it: many platforms send several kinds.
func (r Rejections) Condition(now time.Time) Condition {
	c := Condition{Key: Key{r.Account, Rejected, r.Platform}, Details: Details{Since: r.Last}}
	switch age := now.Sub(r.Last); {
	case age < RejectedWithin:
		c.Stage = Begun
	case age >= RejectedFor:
		c.Over, c.Settled, c.Details.Outcome = true, true, Quiet
	case r.Received.After(r.Last):
		c.Over, c.Settled, c.Details.Outcome = true, true, Recovered
	}
	return c
}

// DiskCondition returns what is so about the disk with so many bytes free, of which
// there should be at least least.
func DiskCondition(free, least uint64) Condition {
	c := Condition{Key: Key{Kind: Disk}, Details: Details{Free: free}}
	switch {
	case free < least:
		c.Stage = Begun
	case free >= least+least/2:
		c.Over, c.Settled, c.Details.Outcome = true, true, Recovered
	}
	return c
}

// BackupEvery is how old the last backup may be.
const BackupEvery = 7 * 24 * time.Hour

// BackupCondition returns what is so about backups, of which the last was made at last;
// zero if none ever was, and then nobody expects one.
func BackupCondition(last, now time.Time) Condition {
	c := Condition{Key: Key{Kind: Backup}, Details: Details{Since: last}}
	if last.IsZero() || now.Sub(last) < BackupEvery {
		c.Over, c.Settled, c.Details.Outcome = true, true, Recovered
		return c
	}
	c.Stage = Begun
	return c
}

// SilenceConditions returns what is so about the sources of an account, of which these
// are silent, with what is known: channels of a platform that is silent as a whole are
// not over.
func SilenceConditions(account webhook.AccountID, silent []stats.Silence, known []Incident) (conditions []Condition) {
	whole := map[string]bool{}
	for _, s := range silent {
		subject := s.Platform + "/" + s.Channel
		if s.All {
			subject = s.Platform
			whole[s.Platform] = true
		}
		conditions = append(conditions, Condition{Key: Key{account, Silence, subject}, Stage: Begun, Details: Details{Since: s.Since, Usual: s.Usual}})
	}
	for _, i := range known {
		if platform, _ := i.Platform(); i.Subject != platform && whole[platform] {
			conditions = append(conditions, Condition{Key: i.Key})
		}
	}
	return conditions
}
