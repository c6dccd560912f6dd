// Package stats counts: how many events an account received and how many attempts of
// its webhooks succeeded, failed and were the last, hour by hour, and how long
// receivers took to respond.
//
// An attempt counts once its result is stored. What is counted is first appended to a
// [Log], as part of the transaction that stores the result; package db writes one row
// of it for a whole group of results, which costs next to nothing. Every few seconds
// the log is added to the [Counts] of the hours, of each webhook, each account and
// the whole instance, and whoever reads the counts adds what the log still holds: so
// they are right at any moment, whatever crashed.
//
// Tests are not counted, and neither is an attempt whose kept connection was closed:
// it is repeated at once and says nothing about the receiver.
package stats

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Kept is how long the counts of an hour are kept.
const Kept = 60 * 24 * time.Hour

// Counts are numbers of attempts.
type Counts struct {
	Delivered int64
	Failed    map[Reason]int64
	GivenUp   int64 // of the failed: the last attempt of its delivery
	Durations Durations
}

// Reason is why an attempt failed: a webhook.Failure, and of [webhook.FailStatus] the status
// behind a space if it is one that HTTP knows, such as "status 503": so there are few. What
// was counted before had no status.
type Reason string

// ReasonOf returns the reason of an attempt; "" on success.
func ReasonOf(o webhook.Outcome) Reason {
	if o.Failure == webhook.FailStatus && http.StatusText(o.Status) != "" {
		return Reason(fmt.Sprintf("%s %d", o.Failure, o.Status))
	}
	return Reason(o.Failure)
}

// Outcome returns the failure and its status, 0 if that is not part of the reason.
func (r Reason) Outcome() (o webhook.Outcome) {
	failure, status, _ := strings.Cut(string(r), " ")
	o.Failure = webhook.Failure(failure)
	o.Status, _ = strconv.Atoi(status) // there may be none
	return o
}

// FailedAttempts is the number of attempts that failed, for whatever reason.
func (c *Counts) FailedAttempts() (n int64) {
	for _, times := range c.Failed {
		n += times
	}
	return n
}

// Retried is the number of failed attempts after which another one was scheduled.
func (c *Counts) Retried() int64 { return c.FailedAttempts() - c.GivenUp }

// Add adds other counts.
func (c *Counts) Add(other *Counts) {
	c.Delivered += other.Delivered
	c.GivenUp += other.GivenUp
	for reason, times := range other.Failed {
		c.failed(reason, times)
	}
	for i, times := range other.Durations {
		c.Durations[i] += times
	}
}

// Count adds one attempt.
func (c *Counts) Count(a Attempt) {
	if a.Reason == "" {
		c.Delivered++
	} else {
		c.failed(a.Reason, 1)
	}
	if a.GivenUp {
		c.GivenUp++
	}
	if a.Responded {
		c.Durations[rangeOf(a.Duration)]++
	}
}

func (c *Counts) failed(reason Reason, times int64) {
	if c.Failed == nil {
		c.Failed = map[Reason]int64{}
	}
	c.Failed[reason] += times
}

// bounds are the ends of the ranges of durations, in milliseconds: each is at most
// half as long again as the one before, so that a quantile is not far off.
var bounds = [...]int64{
	1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
	1024, 1536, 2048, 3072, 4096, 6144, 8192, 12288, 16384,
}

// Durations are numbers of responses by how long the receiver took. The last range is
// open.
type Durations [len(bounds) + 1]int64

// rangeOf returns the index of the range of a duration.
func rangeOf(d time.Duration) uint8 {
	ms := d.Milliseconds()
	for i, end := range bounds {
		if ms < end {
			return uint8(i) //nolint:gosec // there are few
		}
	}
	return uint8(len(bounds))
}

// startOf returns the least duration of a range; that of the last one if there is no such range.
func startOf(i int) time.Duration {
	if i = min(i, len(bounds)); i == 0 {
		return 0
	}
	return time.Duration(bounds[i-1]) * time.Millisecond
}

// Quantile returns how long the fastest q of all responses took at most, such as 0.95:
// within the range of the true value, so at most a third off. It is zero if there were
// no responses.
func (d *Durations) Quantile(q float64) time.Duration {
	var total int64
	for _, n := range d {
		total += n
	}
	rank := q * float64(total)
	for i, n := range d {
		if n > 0 && rank <= float64(n) {
			start, end := startOf(i), startOf(i)*3/2
			if i < len(bounds) {
				end = startOf(i + 1)
			}
			return start + time.Duration(rank/float64(n)*float64(end-start))
		}
		rank -= float64(n)
	}
	return 0
}
