package dispatch_test

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"bookhook/dispatch"
	"bookhook/messages"
	"bookhook/webhook"
)

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status  int
		format  webhook.Format
		state   webhook.State
		failure webhook.Failure
		words   string
	}{
		{200, webhook.Native, webhook.Delivered, "", ""},
		{204, webhook.Native, webhook.Pending, webhook.FailStatus, "only 200 counts"},
		{204, webhook.Standard, webhook.Delivered, "", ""},
		{299, webhook.Standard, webhook.Delivered, "", ""},
		{400, webhook.Standard, webhook.Pending, webhook.FailStatus, "400 Bad Request"},
		{404, webhook.Standard, webhook.Pending, webhook.FailStatus, "path"},
		{405, webhook.Native, webhook.Pending, webhook.FailStatus, "GET"},
		{405, webhook.Standard, webhook.Pending, webhook.FailStatus, "POST"},
		{503, webhook.Standard, webhook.Pending, webhook.FailStatus, "503 Service Unavailable"},
		{599, webhook.Standard, webhook.Pending, webhook.FailStatus, "599"},
		{304, webhook.Standard, webhook.Pending, webhook.FailRedirect, "does not follow"},
		{410, webhook.Standard, webhook.Failed, webhook.FailGone, "switched off"},
	} {
		t.Run(strconv.Itoa(tt.status)+string(tt.format), func(t *testing.T) {
			r := start(t, dispatch.Options{})
			r.hook(receiver(t, answer(tt.status)).URL, func(w *webhook.Webhook) { w.Format = tt.format })
			r.ingest(1)
			got := r.next()
			if got.State != tt.state || got.Attempt.Failure != tt.failure || got.Attempt.Status != tt.status {
				t.Errorf("got %s, %q, %d, want %s, %q, %d", got.State, got.Attempt.Failure, got.Attempt.Status, tt.state, tt.failure, tt.status)
			}
			if !strings.Contains(messages.Text(got.Attempt.Error), tt.words) {
				t.Errorf("got %q, want it to say %q", got.Attempt.Error, tt.words)
			}
		})
	}
}

func TestRedirectIsNotFollowed(t *testing.T) {
	t.Parallel()
	var followed atomic.Bool
	other := receiver(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	server := receiver(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, other.URL, http.StatusFound) })
	r := start(t, dispatch.Options{})
	r.hook(server.URL, native)
	r.ingest(1)
	if a := r.next().Attempt; a.Failure != webhook.FailRedirect || !strings.Contains(messages.Text(a.Error), other.URL) {
		t.Errorf("got %q, %q, want a redirect that names %s", a.Failure, a.Error, other.URL)
	}
	if followed.Load() {
		t.Error("the redirect was followed")
	}
}

func TestGoneSwitchesOffAndTheRestWaits(t *testing.T) {
	t.Parallel()
	r := start(t, dispatch.Options{})
	w := r.hook(receiver(t, answer(http.StatusGone)).URL, concurrency(1))
	r.ingest(3)
	if got := r.next(); got.State != webhook.Failed || !got.Gone {
		t.Errorf("got %s, gone %t, want failed, gone", got.State, got.Gone)
	}
	r.stop()
	page, err := r.store.Deliveries(context.Background(), r.account.ID, webhook.DeliveryFilter{Limit: 10})
	if err != nil || len(page.Rows) != 3 {
		t.Fatalf("got %d deliveries, %v, want 3", len(page.Rows), err)
	}
	for _, d := range page.Rows { // sent by a dispatcher that did not know yet, or waiting uncharged
		if sent := d.State == webhook.Failed; !sent && (d.State != webhook.Pending || d.Attempts != 0) {
			t.Errorf("got %+v, want it failed, or pending without an attempt", d.Delivery)
		}
	}
	after, err := r.store.Webhook(context.Background(), r.account.ID, w.ID)
	if err != nil || after.Enabled || after.OffReason != webhook.OffGone {
		t.Errorf("got %+v, %v, want a webhook that is off", after, err)
	}
}

func TestBodyIsCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		size, kept int
		truncated  bool
	}{
		{webhook.MaxStoredBody, webhook.MaxStoredBody, false},
		{webhook.MaxStoredBody + 1, webhook.MaxStoredBody, true},
		{4 << 20, webhook.MaxStoredBody, true},
	} {
		r := start(t, dispatch.Options{})
		r.hook(receiver(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, strings.Repeat("x", tt.size))
		}).URL)
		r.ingest(1)
		got := r.next()
		if got.State != webhook.Delivered || len(got.Attempt.ResponseBody) != tt.kept || got.Attempt.Truncated != tt.truncated {
			t.Errorf("%d bytes: got %s, %d kept, truncated %t, want %d, %t", tt.size, got.State,
				len(got.Attempt.ResponseBody), got.Attempt.Truncated, tt.kept, tt.truncated)
		}
	}
}
