package dispatch

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// probeTimeout is how long a probe may take in all: a person waits for it.
const probeTimeout = 5 * time.Second

// Probe checks whether a URL can be called, for the form in which it is typed:
// it makes a HEAD request without any data, in 5 seconds at most. Any answer
// shows that there is a server; what it makes of a real delivery, only a test
// delivery shows.
func (d *Dispatcher) Probe(ctx context.Context, url string) webhook.Probe {
	target, problem := webhook.CheckURL(url)
	if problem == "" {
		problem = d.CheckURL(target)
	}
	if problem != "" {
		return webhook.Probe{Level: webhook.ProbeBad, Message: problem}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, target, nil)
	if err != nil {
		return probeFailed(err)
	}
	request.Header.Set("User-Agent", d.sender.userAgent)
	response, err := d.sender.transport.RoundTrip(request)
	if err != nil {
		return probeFailed(guard.RequestError{Err: err, Host: request.URL.Host, Timeout: probeTimeout, Connect: d.sender.limits.connect})
	}
	response.Body.Close()
	return probeResult(response.StatusCode, response.Header.Get("Location"))
}

// CheckURL returns why a URL may not be called, judged by its text alone; "" if
// it may.
func (d *Dispatcher) CheckURL(url string) string {
	blocked, ok := errors.AsType[*guard.BlockedError](d.guard.CheckURL(url))
	if !ok {
		return ""
	}
	code, args := blocked.Message()
	return guard.Sentence("", code, args)
}

// probeFailed is the result if there was no response.
func probeFailed(err error) webhook.Probe {
	level := webhook.ProbeBad
	reason, code, args := guard.Classify(err)
	switch reason {
	case webhook.FailTimeout:
		level, code = webhook.ProbeWarn, "probe_timeout"
	case webhook.FailRefused, webhook.FailNetwork:
		level = webhook.ProbeWarn
	}
	return webhook.Probe{Level: level, Message: guard.Sentence("", code, args)}
}

// probeResult is the result of a response.
func probeResult(status int, location string) webhook.Probe {
	level, code, args := webhook.ProbeOK, "probe_ok", []string(nil)
	switch {
	case status >= 300 && status <= 399:
		level = webhook.ProbeWarn
		_, code, args = guard.Classify(guard.StatusError{Status: status, Location: location})
	case status == http.StatusGone:
		level, code = webhook.ProbeWarn, "probe_gone"
	case status >= 500 && status != http.StatusNotImplemented: // 501, as 405, is about HEAD, which no delivery uses
		level, code, args = webhook.ProbeWarn, "probe_failing", []string{strconv.Itoa(status)}
	}
	return webhook.Probe{Level: level, Message: guard.Sentence("", code, args)}
}
