package dispatch

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"bookhook/webhook"
)

// probeTime is how long a probe may take in all: a person waits for it.
const probeTime = 5 * time.Second

// Level says how bad the outcome of a probe is.
type Level string

// The levels.
const (
	LevelOK    Level = "ok"
	LevelWarn  Level = "warn"  // deliveries may fail; the receiver can put it right by itself
	LevelError Level = "error" // deliveries will fail until the URL or the receiver is corrected
)

// ProbeResult is what a probe of a URL found.
type ProbeResult struct {
	OK      bool
	Level   Level
	Message string // in words for the operator; never ""
}

// Probe tries whether a URL can be called, for the form in which it is typed:
// it makes a HEAD request without any data, in 5 seconds at most. Any answer
// shows that somebody is there; what the receiver makes of a real delivery,
// only a test delivery shows.
func (d *Dispatcher) Probe(ctx context.Context, url string) ProbeResult {
	target, problem := webhook.CheckURL(url)
	if problem == "" {
		problem = d.guard.CheckURL(target)
	}
	if problem != "" {
		return ProbeResult{Level: LevelError, Message: problem}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		return ProbeResult{Level: LevelError, Message: d.sender.explain(webhook.FailInternal, err, target)}
	}
	request.Header.Set("User-Agent", d.sender.agent)
	response, err := d.sender.transport.RoundTrip(request)
	if err != nil {
		return d.silent(err, target)
	}
	response.Body.Close()
	return heard(response.StatusCode, response.Header.Get("Location"))
}

// silent is the result when there was no answer.
func (d *Dispatcher) silent(err error, target string) ProbeResult {
	why := failure(err)
	result := ProbeResult{Level: LevelError, Message: d.sender.explain(why, err, target)}
	switch why {
	case webhook.FailTimeout:
		result.Message = fmt.Sprintf("%s did not answer within %s.", hostOf(target), probeTime)
		result.Level = LevelWarn
	case webhook.FailRefused, webhook.FailNetwork:
		result.Level = LevelWarn
	}
	return result
}

// heard is the result of an answer.
func heard(status int, location string) ProbeResult {
	switch {
	case status >= 300 && status <= 399:
		return ProbeResult{Level: LevelWarn, Message: redirected(status, location)}
	case status == http.StatusGone:
		return ProbeResult{Level: LevelWarn, Message: "Your server answers 410 (Gone). If it says so to a delivery, the webhook is switched off."}
	case status >= 500:
		return ProbeResult{Level: LevelWarn, Message: "Your server answers, but with an error: " + statusText(status) + "."}
	}
	return ProbeResult{OK: true, Level: LevelOK, Message: "Your server answers. Send a test to see what it makes of a delivery."}
}
