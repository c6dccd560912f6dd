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
	StartedAt time.Time       // it counts for the hour in which it started
	Failure   webhook.Failure // "" on success
	GivenUp   bool            // there is no further one
	Responded bool            // the receiver did, after Duration
	Duration  time.Duration   // read from a log, it is the least one of its range
}

// Event is an event that is counted.
type Event struct {
	Account    webhook.AccountID
	ReceivedAt time.Time
	Platform   string
	Channel    string // its id; "" for none
}

// Log is what was counted, one entry after the other.
type Log []byte

// The kinds of entries, and the flags of an attempt.
const (
	kindAttempt = 1
	kindEvent   = 2

	flagGivenUp   = 1
	flagResponded = 2
)

// Attempt appends an attempt.
func (l *Log) Attempt(a Attempt) {
	flags, duration := byte(0), byte(0)
	if a.GivenUp {
		flags |= flagGivenUp
	}
	if a.Responded {
		flags |= flagResponded
		duration = rangeOf(a.Duration)
	}
	l.head(kindAttempt, a.Account, a.StartedAt)
	l.number(int64(a.Webhook))
	*l = append(*l, flags, duration)
	l.text(string(a.Failure))
}

// Event appends an event.
func (l *Log) Event(e Event) {
	l.head(kindEvent, e.Account, e.ReceivedAt)
	l.text(e.Platform)
	l.text(e.Channel)
}

func (l *Log) head(kind byte, account webhook.AccountID, at time.Time) {
	*l = append(*l, kind)
	l.number(int64(account))
	l.number(at.UnixMilli())
}

func (l *Log) number(n int64) { *l = binary.AppendVarint(*l, n) }

func (l *Log) text(s string) {
	l.number(int64(len(s)))
	*l = append(*l, s...)
}

// errLog says that a log, or counts, cannot be read.
var errLog = errors.New("stats: damaged")

// Read calls attempt and event for every entry, in the order in which they were
// appended.
func (l Log) Read(attempt func(Attempt), event func(Event)) error {
	for r := (reader{l, nil}); len(r.rest) > 0; {
		kind := r.byte()
		account, at := webhook.AccountID(r.number()), time.UnixMilli(r.number()).UTC()
		switch kind {
		case kindAttempt:
			a := Attempt{Account: account, StartedAt: at, Webhook: webhook.WebhookID(r.number())}
			flags := r.byte()
			a.GivenUp, a.Responded = flags&flagGivenUp != 0, flags&flagResponded != 0
			a.Duration = startOf(int(r.byte()))
			a.Failure = webhook.Failure(r.text())
			if r.err == nil {
				attempt(a)
				continue
			}
		case kindEvent:
			e := Event{Account: account, ReceivedAt: at, Platform: r.text(), Channel: r.text()}
			if r.err == nil {
				event(e)
				continue
			}
		}
		return errLog
	}
	return nil
}

// reader reads what Log and Counts write.
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

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) number() int64 {
	n, size := binary.Varint(r.rest)
	if size <= 0 {
		size = -1
	}
	r.take(size)
	return n
}

func (r *reader) text() string { return string(r.take(int(r.number()))) }

// Encode returns the counts as they are stored.
func (c *Counts) Encode() []byte {
	var l Log
	l.number(c.Delivered)
	l.number(c.GivenUp)
	l.number(int64(len(c.Failed)))
	for failure, times := range c.Failed {
		l.text(string(failure))
		l.number(times)
	}
	for i, times := range c.Durations {
		if times > 0 {
			l.number(int64(i))
			l.number(times)
		}
	}
	return l
}

// Decode adds what Encode returned to the counts.
func (c *Counts) Decode(encoded []byte) error {
	r := reader{encoded, nil}
	c.Delivered += r.number()
	c.GivenUp += r.number()
	for n := r.number(); n > 0 && r.err == nil; n-- {
		if failure, times := webhook.Failure(r.text()), r.number(); r.err == nil {
			c.failed(failure, times)
		}
	}
	for len(r.rest) > 0 {
		i, times := r.number(), r.number()
		if i < 0 || i >= int64(len(c.Durations)) {
			return errLog
		}
		c.Durations[i] += times
	}
	return r.err
}
