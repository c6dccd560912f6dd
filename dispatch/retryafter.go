package dispatch

import (
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// ParseRetryAfter parses a Retry-After header, seconds or an HTTP date, and
// returns the pause that it asks for: from 0 to [webhook.MaxRetryAfter]. It returns
// 0 if the header is missing, negative, in the past or not valid.
func ParseRetryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) { // out of range, seconds is the nearest int64
		most := int64(webhook.MaxRetryAfter / time.Second)
		return time.Duration(min(max(seconds, 0), most)) * time.Second
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), webhook.MaxRetryAfter)
}
