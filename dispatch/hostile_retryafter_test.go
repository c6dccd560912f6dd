package dispatch_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// What a receiver asks for by Retry-After, from its answer to the next try in
// the table: never sooner than the schedule has it, never later than a day.
func TestRetryAfterReachesTheTable(t *testing.T) {
	const floor, second, day = webhook.ThrottleFloor, 5 * time.Second, webhook.MaxRetryAfter // the second try is due after 5 s
	date := func(in time.Duration) string { return time.Now().Add(in).UTC().Format(http.TimeFormat) }
	dated := func(header string) string { // only when it is sent: the tests before may take their time
		return strings.NewReplacer("IN-1H", date(time.Hour), "1H-AGO", date(-time.Hour), "IN-48H", date(48*time.Hour)).Replace(header)
	}
	for _, tt := range []struct {
		header          string // all lines
		after503, at429 time.Duration
	}{
		{"", second, floor},
		{"Retry-After: 90", 90 * time.Second, 90 * time.Second},
		{"retry-after:   90\t ", 90 * time.Second, 90 * time.Second},
		{"Retry-After: 30", 30 * time.Second, floor},
		{"Retry-After: 0", second, floor},
		{"Retry-After: -90", second, floor},
		{"Retry-After: 90.5", second, floor},
		{"Retry-After: 9e9", second, floor},
		{"Retry-After: 0x90", second, floor},
		{"Retry-After: 1_000", second, floor},
		{"Retry-After: soon", second, floor},
		{"Retry-After:", second, floor},
		{"Retry-After: ٣٠", second, floor},
		{"Retry-After: \xff", second, floor},
		{"Retry-After: 90, 120", second, floor},
		{"Retry-After: 90\r\nRetry-After: 86400", 90 * time.Second, 90 * time.Second}, // the first counts
		{"Retry-After: 86400", day, day},
		{"Retry-After: 86401", day, day},
		{"Retry-After: 9223372036854775807", day, day},
		{"Retry-After: 1000000000000000000000000000000", day, day},
		{"Retry-After: -1000000000000000000000000000000", second, floor},
		{"Retry-After: " + strings.Repeat("9", 10_000), day, day},
		{"Retry-After: IN-1H", time.Hour, time.Hour},
		{"Retry-After: 1H-AGO", second, floor},
		{"Retry-After: IN-48H", day, day},
		{"Retry-After: Fri, 31 Dec 9999 23:59:59 GMT", day, day},
		{"Retry-After: Mon, 01 Jan 0001 00:00:00 GMT", second, floor},
		{"Retry-After: Thu, 32 Dec 2099 23:59:59 GMT", second, floor},
	} {
		name, _, _ := strings.Cut(fmt.Sprintf("%.40q", tt.header), "\n")
		t.Run(name, func(t *testing.T) {
			wantNext(t, 503, dated(tt.header), tt.after503)
			wantNext(t, 429, dated(tt.header), tt.at429)
		})
	}
	for _, status := range []int{301, 400, 500, 504} {
		wantNext(t, status, "Retry-After: 90", second)
	}
}

// wantNext wants the next try of a delivery, after an answer of that status and
// header, so long after it, and up to a tenth more.
func wantNext(t *testing.T, status int, header string, want time.Duration) {
	t.Helper()
	if header != "" {
		header += "\r\n"
	}
	r := start(t, dispatch.Options{})
	r.hook("http://" + raw(t, say(fmt.Sprintf("HTTP/1.1 %d No\r\n%sContent-Length: 0\r\n\r\n", status, header))))
	before := time.Now()
	id := r.ingest(1)[0]
	r.next()
	after := time.Now()
	d := r.delivery(id)
	if d.State != webhook.Pending || d.Last.Status != status {
		t.Fatalf("got %s after %d, want pending after %d", d.State, d.Last.Status, status)
	}
	const slack = 2 * time.Second // a date has whole seconds
	if d.NextAt.Before(before.Add(want-slack)) || d.NextAt.After(after.Add(want+want/10+slack)) {
		t.Errorf("%d: next try after %s, want %s and up to a tenth more", status, d.NextAt.Sub(before), want)
	}
}
