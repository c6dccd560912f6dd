package dispatch

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"

	"bookhook/dispatch/guard"
	"bookhook/webhook"
)

// probeTimeout is how long a probe may take in all: a person waits for it.
const probeTimeout = 5 * time.Second

// Probe checks whether a URL can be called, for the form in which it is typed: it
// makes a HEAD request without any data, in 5 seconds at most. Any response shows
// that there is a server; only a test shows how it handles a delivery.
func (d *Dispatcher) Probe(ctx context.Context, url string) webhook.Probe {
	target, problem := webhook.CheckURL(url)
	if problem.IsZero() {
		problem = d.CheckURL(target)
	}
	if !problem.IsZero() {
		return webhook.Probe{Level: webhook.ProbeBad, Message: problem}
	}
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	request, err := guard.NewRequest(ctx, http.MethodHead, target, nil)
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

// CheckURL returns why a URL may not be called, judged by its text alone; zero
// if it may.
func (d *Dispatcher) CheckURL(url string) webhook.Message {
	err := d.guard.CheckURL(url)
	if blocked, ok := errors.AsType[*guard.BlockedError](err); ok {
		return blocked.Message()
	}
	if unknown, ok := errors.AsType[*net.DNSError](err); ok {
		return webhook.NewMessage("url.host", webhook.Quote(unknown.Name, 300))
	}
	if d.own.Has(url) {
		return webhook.NewMessage("url.own")
	}
	return webhook.Message{}
}

// probeFailed is the result if there was no response.
func probeFailed(err error) webhook.Probe {
	reason, why := guard.Classify(err)
	switch reason {
	case webhook.FailTimeout:
		e, _ := errors.AsType[guard.RequestError](err)
		return webhook.Probe{Level: webhook.ProbeWarn, Message: webhook.NewMessage("probe.timeout", e.Host, e.Timeout)}
	case webhook.FailRefused, webhook.FailNetwork:
		return webhook.Probe{Level: webhook.ProbeWarn, Message: why}
	}
	return webhook.Probe{Level: webhook.ProbeBad, Message: why}
}

// probeResult is the result of a response.
func probeResult(status int, location string) webhook.Probe {
	level, message := webhook.ProbeWarn, webhook.NewMessage("probe.gone")
	switch text := guard.StatusText(status); {
	case status >= 300 && status <= 399 && location != "":
		message = webhook.NewMessage("probe.redirect_to", text, webhook.Quote(location, 300))
	case status >= 300 && status <= 399:
		message = webhook.NewMessage("probe.redirect", text)
	case status == http.StatusGone:
	case status >= 500 && status != http.StatusNotImplemented: // 501, as 405, is about HEAD, which no delivery uses
		message = webhook.NewMessage("probe.failing", text)
	default:
		level, message = webhook.ProbeOK, webhook.NewMessage("probe.ok")
	}
	return webhook.Probe{Level: level, Message: message}
}
