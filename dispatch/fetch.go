package dispatch

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Bounds of a request to a platform's API.
const (
	askTime   = 10 * time.Second // about a booking, in all; less where an attempt may take less
	listTime  = 15 * time.Second // for a list: a person waits for it
	maxAnswer = 4 << 20          // bytes of an answer
	maxListed = 50_000           // channels or tours in all; they are stored at once
)

// Items asks a platform for the channels or tours that an account has there, as it
// writes them; the same may be among them more than once. An error that is
// webhook.Unanswered says why they are not to be had.
func (d *Dispatcher) Items(ctx context.Context, platform string, settings webhook.Settings, kind webhook.ItemKind) (items []webhook.Item, err error) {
	p, ok := d.sender.platforms.Get(platform)
	if !ok || p.Lists == nil {
		return nil, webhook.ErrNotFound
	}
	ctx, cancel := context.WithTimeout(ctx, listTime)
	defer cancel()
	defer d.sender.mishap(&err)
	requests, err := p.Lists.Requests(settings, kind, time.Now())
	if err != nil {
		return nil, unanswered(err)
	}
	for _, wire := range requests {
		found, err := d.list(ctx, p, wire, kind)
		if err != nil {
			return nil, err
		}
		if len(items)+len(found) > maxListed {
			return nil, unanswered(fmt.Errorf("it lists more than %d", maxListed))
		}
		items = append(items, found...)
	}
	return items, nil
}

// list makes one of the requests for a list.
func (d *Dispatcher) list(ctx context.Context, p platforms.Platform, wire webhook.Request, kind webhook.ItemKind) ([]webhook.Item, error) {
	a, err := d.sender.fetch(ctx, wire)
	d.log.LogAttrs(ctx, slog.LevelInfo, "list", append(a.attributes(err), slog.String("platform", p.Key), slog.String("of", string(kind)))...)
	if err != nil {
		return nil, err
	}
	items, err := p.Lists.Read(kind, a.status, a.body)
	if err != nil {
		return nil, unanswered(err)
	}
	return items, nil
}

// told is a platform's answer.
type told struct {
	asked  time.Time
	took   time.Duration
	status int
	body   []byte
}

// attributes are what the log says of a request: not the URL and no header,
// which may be secret.
func (t told) attributes(err error) []slog.Attr {
	reason := ""
	if err != nil {
		reason = err.Error()
	}
	return []slog.Attr{slog.Int("status", t.status), slog.Int64("ms", t.took.Milliseconds()), slog.String("reason", reason)}
}

// fetch makes one request to a platform's API, through the guard. An error is
// webhook.Unanswered; what the status means is the platform's to say.
func (s *sender) fetch(ctx context.Context, wire webhook.Request) (t told, err error) {
	t.asked = time.Now()
	defer func() { t.took = time.Since(t.asked) }()
	request, err := http.NewRequestWithContext(ctx, wire.Method, wire.URL, bytes.NewReader(wire.Body))
	if err != nil || request.URL.Host == "" || !strings.HasPrefix(request.URL.Scheme, "http") {
		return t, unanswered(errors.New("its address cannot be called"))
	}
	maps.Copy(request.Header, wire.Header)
	if request.Header.Get("User-Agent") == "" {
		request.Header.Set("User-Agent", s.agent)
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return t, unanswered(errors.New(silence(request, err, t.asked)))
	}
	defer response.Body.Close()
	t.status = response.StatusCode
	t.body, err = io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	switch {
	case err != nil:
		return t, unanswered(errors.New(silence(request, err, t.asked)))
	case len(t.body) > maxAnswer:
		return t, unanswered(fmt.Errorf("its answer is larger than %d MiB", maxAnswer>>20))
	case t.status >= 300 && t.status <= 399:
		return t, unanswered(fmt.Errorf("it answered %s, a redirect, which Bookhook does not follow", statusText(t.status)))
	}
	return t, nil
}

// silence is why there was no complete answer, as a phrase.
func silence(request *http.Request, err error, since time.Time) string {
	host := request.URL.Host
	switch failure(err) {
	case webhook.FailBlocked:
		blocked, _ := errors.AsType[*BlockedError](err)
		return fmt.Sprintf("Bookhook does not call %s, which is %s; whoever runs this Bookhook can allow it with %s", blocked.Addr, blocked.Kind, allowSetting)
	case webhook.FailDNS:
		return fmt.Sprintf("the name %s could not be looked up", quote(request.URL.Hostname()))
	case webhook.FailTLS:
		return "no secure connection to " + host + " could be made"
	case webhook.FailRefused:
		return host + " refused the connection"
	case webhook.FailTimeout:
		return fmt.Sprintf("%s gave no complete answer within %s", host, time.Since(since).Round(100*time.Millisecond))
	}
	return "the connection to " + host + " broke before the answer was complete"
}

// unanswered makes a phrase of what a platform's package says is wrong.
func unanswered(err error) error {
	return webhook.Unanswered{Reason: strings.TrimSuffix(quote(err.Error()), ".")}
}

// mishap turns a panic in a platform's package into an error.
func (s *sender) mishap(err *error) {
	if p := recover(); p != nil {
		s.log.Error("panic while asking a platform", "panic", p, "stack", string(debug.Stack()))
		*err = webhook.Unanswered{Reason: "there is a mistake in Bookhook, which its log has"}
	}
}
