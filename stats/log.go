package stats

import (
	"encoding/binary"
	"errors"
	"time"

	"bookhook/webhook"
)

// Attempt is an attempt that is counted.
type Attempt struct {
	Account   webhook.AccountID
	Webhook   webhook.WebhookID
	StartedAt time.Time     // it counts for the hour in which it started
	Reason    Reason        // why it failed; "" on success
	GivenUp   bool          // there is no further one
	Own       bool          // of one of Bookhook's own events: it counts for its webhook only
	Responded bool          // the receiver did, after Duration
	Duration  time.Duration // read from a log, it is the least one of its range
}

// Event is an event that is counted.
type Event struct {
	Account    webhook.AccountID
	ReceivedAt time.Time
	Platform   string
	Channel    string // its id; "" for none
}

// Log is what was counted, one entry after the other. An entry begins with its size,
// its account and its time, so that those of other accounts are skipped at once.
type Log []byte

// The head of an entry, the kinds of entries, and the flags of an attempt.
const (
	headSize = 2 + 1 + 8 + 8

	kindAttempt = 1
	kindEvent   = 2

	flagGivenUp   = 1
	flagResponded = 2
	flagOwn       = 4
)

// Attempt appends an attempt.
func (l *Log) Attempt(a Attempt) {
	flags, duration := byte(0), byte(0)
	if a.GivenUp {
		flags |= flagGivenUp
	}
	if a.Own {
		flags |= flagOwn
	}
	if a.Responded {
		flags |= flagResponded
		duration = rangeOf(a.Duration)
	}
	start := l.head(kindAttempt, a.Account, a.StartedAt)
	*l = order.AppendUint64(*l, uint64(a.Webhook)) //nolint:gosec // an ID is never negative
	*l = append(*l, flags, duration)
	*l = append(*l, a.Reason...)
	l.setSize(start)
}

// Event appends an event.
func (l *Log) Event(e Event) {
	start := l.head(kindEvent, e.Account, e.ReceivedAt)
	*l = binary.AppendUvarint(*l, uint64(len(e.Platform)))
	*l = append(*l, e.Platform...)
	*l = append(*l, e.Channel...)
	l.setSize(start)
}

var order = binary.BigEndian

func (l *Log) head(kind byte, account webhook.AccountID, at time.Time) (start int) {
	start = len(*l)
	*l = append(*l, 0, 0, kind)
	*l = order.AppendUint64(*l, uint64(account))        //nolint:gosec // an ID is never negative
	*l = order.AppendUint64(*l, uint64(at.UnixMilli())) //nolint:gosec // the same bits
	return start
}

func (l *Log) setSize(start int) {
	order.PutUint16((*l)[start:], uint16(len(*l)-start)) //nolint:gosec // a platform and a channel are short
}

// errLog says that a log, or counts, cannot be read.
var errLog = errors.New("stats: damaged")

// Read calls attempt and event for every entry of an account, or of all accounts for
// 0, in the order in which they were appended.
func (l Log) Read(account webhook.AccountID, attempt func(Attempt), event func(Event)) error {
	for len(l) > 0 {
		if len(l) < headSize {
			return errLog
		}
		size := int(order.Uint16(l))
		if size < headSize || size > len(l) {
			return errLog
		}
		of := webhook.AccountID(order.Uint64(l[3:])) //nolint:gosec // as it was written
		if account == 0 || account == of {
			if err := l[:size].readOne(of, attempt, event); err != nil {
				return err
			}
		}
		l = l[size:]
	}
	return nil
}

func (l Log) readOne(account webhook.AccountID, attempt func(Attempt), event func(Event)) error {
	at, rest := time.UnixMilli(int64(order.Uint64(l[11:]))).UTC(), l[headSize:] //nolint:gosec // as it was written
	switch l[2] {
	case kindAttempt:
		if len(rest) < 10 {
			return errLog
		}
		flags := rest[8]
		attempt(Attempt{
			Account: account, StartedAt: at, Webhook: webhook.WebhookID(order.Uint64(rest)), //nolint:gosec // as it was written
			GivenUp: flags&flagGivenUp != 0, Own: flags&flagOwn != 0, Responded: flags&flagResponded != 0, Duration: startOf(int(rest[9])), Reason: Reason(rest[10:]),
		})
		return nil
	case kindEvent:
		n, size := binary.Uvarint(rest)
		if size <= 0 || n > uint64(len(rest)-size) {
			return errLog
		}
		event(Event{Account: account, ReceivedAt: at, Platform: string(rest[size:][:n]), Channel: string(rest[size:][n:])})
		return nil
	}
	return errLog
}

// reader reads what Encode writes.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.rest, r.err = nil, errLog
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		size = -1
	}
	r.take(size)
	return n
}

// Encode returns the counts as they are stored.
func (c *Counts) Encode() []byte {
	b := binary.AppendVarint(nil, c.Delivered)
	b = binary.AppendVarint(b, c.GivenUp)
	b = binary.AppendVarint(b, int64(len(c.Failed)))
	for reason, times := range c.Failed {
		b = binary.AppendVarint(b, int64(len(reason)))
		b = append(b, reason...)
		b = binary.AppendVarint(b, times)
	}
	for i, times := range c.Durations {
		if times > 0 {
			b = binary.AppendVarint(b, int64(i))
			b = binary.AppendVarint(b, times)
		}
	}
	return b
}

// Decode adds what Encode returned to the counts.
func (c *Counts) Decode(encoded []byte) error {
	r := reader{encoded, nil}
	r.outcomes(&c.Delivered, &c.GivenUp, func(reason []byte, times int64) { c.failed(Reason(reason), times) })
	for len(r.rest) > 0 {
		i, times := r.number(), r.number()
		if i < 0 || i >= int64(len(c.Durations)) {
			return errLog
		}
		c.Durations[i] += times
	}
	return r.err
}

// decode adds what Encode returned to the counts of a day.
func (d *DayCounts) decode(encoded []byte) error {
	r := reader{encoded, nil}
	r.outcomes(&d.Delivered, &d.GivenUp, func(_ []byte, times int64) { d.FailedAttempts += times })
	return r.err
}

// outcomes reads what comes before the durations.
func (r *reader) outcomes(delivered, givenUp *int64, failed func(reason []byte, times int64)) {
	*delivered += r.number()
	*givenUp += r.number()
	for n := r.number(); n > 0 && r.err == nil; n-- {
		if reason, times := r.take(int(r.number())), r.number(); r.err == nil {
			failed(reason, times)
		}
	}
}
