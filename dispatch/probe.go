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

// Probe tries whether a URL can be called, for the form in which it is typed:
// it makes a HEAD request without any data, in 5 seconds at most. Any answer
// shows that somebody is there; what the receiver makes of a real delivery,
// only a test delivery shows.
func (d *Dispatcher) Probe(ctx context.Context, url string) webhook.Probe {
	target, problem := webhook.CheckURL(url)
	if problem == "" {
		problem = d.guard.CheckURL(target)
	}
	if problem != "" {
		return webhook.Probe{Level: webhook.ProbeBad, Message: problem}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		return webhook.Probe{Level: webhook.ProbeBad, Message: d.sender.explain(webhook.FailInternal, err, target)}
	}
	request.Header.Set("User-Agent", d.sender.agent)
	response, err := d.sender.transport.RoundTrip(request)
	if err != nil {
		return d.silent(err, target)
	}
	response.Body.Close()
	return heard(response.StatusCode, response.Header.Get("Location"))
}

// CheckURL says by its text alone why a URL may not be called; "" when it may.
func (d *Dispatcher) CheckURL(url string) string { return d.guard.CheckURL(url) }

// silent is the result when there was no answer.
func (d *Dispatcher) silent(err error, target string) webhook.Probe {
	why := failure(err)
	result := webhook.Probe{Level: webhook.ProbeBad, Message: d.sender.explain(why, err, target)}
	switch why {
	case webhook.FailTimeout:
		result.Message = fmt.Sprintf("%s did not answer within %s.", hostOf(target), probeTime)
		result.Level = webhook.ProbeWarn
	case webhook.FailRefused, webhook.FailNetwork:
		result.Level = webhook.ProbeWarn
	}
	return result
}

// heard is the result of an answer.
func heard(status int, location string) webhook.Probe {
	switch {
	case status >= 300 && status <= 399:
		return webhook.Probe{Level: webhook.ProbeWarn, Message: redirected(status, location)}
	case status == http.StatusGone:
		return webhook.Probe{Level: webhook.ProbeWarn, Message: "Your server answers 410 (Gone). If it says so to a delivery, the webhook is switched off."}
	case status >= 500 && status != http.StatusNotImplemented: // as 405: HEAD is not what it will get
		return webhook.Probe{Level: webhook.ProbeWarn, Message: "Your server answers; to an empty request it said " + statusText(status) + ". Send a test to see what it says to a delivery."}
	}
	return webhook.Probe{Level: webhook.ProbeOK, Message: "Your server answers. Send a test to see what it makes of a delivery."}
}
