package dispatch_test

import (
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"

	"bookhook/dispatch"
	"bookhook/webhook"
)

func TestParseRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		value string
		want  time.Duration
	}{
		{"", 0},
		{"0", 0},
		{"1", time.Second},
		{" 120 ", 2 * time.Minute},
		{"86400", 24 * time.Hour},
		{"86401", 24 * time.Hour},
		{"9223372036854775807", 24 * time.Hour},
		{"99999999999999999999", 24 * time.Hour},
		{"-99999999999999999999", 0},
		{"-5", 0},
		{"1.5", 0},
		{"1e3", 0},
		{"soon", 0},
		{"120, 60", 0},
		{"Sat, 21 Nov 2026 09:01:00 GMT", time.Minute},
		{"Saturday, 21-Nov-26 09:01:00 GMT", time.Minute},
		{"Sat Nov 21 09:01:00 2026", time.Minute},
		{"Sat, 21 Nov 2026 08:59:59 GMT", 0},
		{"Thu, 01 Jan 1970 00:00:00 GMT", 0},
		{"Fri, 31 Dec 9999 23:59:59 GMT", 24 * time.Hour},
		{"21 Nov 2026", 0},
	} {
		if got := dispatch.ParseRetryAfter(tt.value, now); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.value, got, tt.want)
		}
	}
}

func FuzzParseRetryAfter(f *testing.F) {
	for _, value := range []string{"", "120", "-1", "Sat, 21 Nov 2026 09:01:00 GMT", "99999999999999999999"} {
		f.Add(value, int64(0))
	}
	f.Fuzz(func(t *testing.T, value string, seconds int64) {
		now := time.Unix(seconds, 0)
		got := dispatch.ParseRetryAfter(value, now)
		if got < 0 || got > webhook.MaxRetryAfter {
			t.Errorf("%q at %s: got %s", value, now, got)
		}
		if digits := strings.TrimSpace(value); digits != "" && strings.Trim(digits, "0123456789") == "" {
			seconds, _ := new(big.Int).SetString(digits, 10)
			if want := time.Duration(min(seconds.Uint64(), 86400)) * time.Second; seconds.IsUint64() && got != want || !seconds.IsUint64() && got != webhook.MaxRetryAfter {
				t.Errorf("%q: got %s, want so many seconds, up to a day", value, got)
			}
		}
		if value := strings.TrimSpace(value); strings.HasPrefix(value, "-") && got != 0 {
			t.Errorf("%q: got %s, want nothing", value, got)
		}
		if now.Year() < 1 || now.Year() > 9998 {
			return
		}
		date := now.Add(time.Hour).UTC().Format(http.TimeFormat)
		if got := dispatch.ParseRetryAfter(date, now); got != time.Hour {
			t.Errorf("%q at %s: got %s, want an hour", date, now, got)
		}
	})
}
