package views

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"bookhook/messages"
	"bookhook/webhook"
)

// maxReported is how many bytes of a body a report has.
const maxReported = 8 << 10

// report is a text about the last failed attempt, for the engineer of the receiver;
// "" if there is nothing to report: the delivery arrived, or nothing was sent.
func (p DeliveryProps) report() string {
	a := lastFailure(p.Attempts)
	if p.Delivery.State == webhook.Delivered || a == nil || a.Method == "" || a.LeftOut {
		return ""
	}
	name := receiverName(p.Webhook)
	var text strings.Builder
	fmt.Fprintf(&text, "Bookhook could not deliver a booking event to %s.\n\n", name)
	what := strings.TrimSpace(messages.OutcomeText(a.Outcome(), name))
	fmt.Fprintf(&text, "What happened: %s\n", what)
	if detail := messages.Text(a.Error); !a.Error.IsZero() && detail != what {
		fmt.Fprintf(&text, "In detail: %s\n", detail)
	}
	fmt.Fprintf(&text, "When: %s (attempt %d of this delivery, after %s)\n", a.StartedAt.UTC().Format(time.RFC3339), a.Number, duration(a.Duration))
	fmt.Fprintf(&text, "Delivery (webhook-id): %s\n", p.Delivery.ID)
	if p.Delivery.BookingID != "" {
		fmt.Fprintf(&text, "Booking: %s\n", p.Delivery.BookingID)
	}
	if a.RemoteAddr != "" {
		fmt.Fprintf(&text, "Address called: %s\n", a.RemoteAddr)
	}
	fmt.Fprintf(&text, "\nRequest:\n\n%s %s\n%s", a.Method, a.URL, message(a.RequestHeaders, a.RequestBody))
	if a.Status == 0 {
		text.WriteString("\nThere was no response.\n")
	} else {
		fmt.Fprintf(&text, "\nResponse:\n\n%s\n%s", messages.StatusText(a.Status), message(a.ResponseHeaders, a.ResponseBody))
	}
	if len(a.RequestBody) <= maxReported {
		fmt.Fprintf(&text, "\nTo repeat the request, with the timestamp and signature of %s, which a receiver that checks them finds too old:\n\n%s\n",
			a.StartedAt.UTC().Format(time.RFC3339), Curl(*a))
		fmt.Fprintf(&text, "\nThe same with a timestamp and signature of now (needs a POSIX shell, openssl and the signing secret):\n\n%s\n", FreshCurl(*a, p.Delivery.ID))
	}
	return text.String()
}

// message is the headers and the beginning of the body.
func message(h http.Header, body []byte) string {
	var text strings.Builder
	for _, name := range sortedNames(h) {
		for _, value := range h[name] {
			fmt.Fprintf(&text, "%s: %s\n", strings.ToLower(name), value)
		}
	}
	if len(body) > 0 {
		fmt.Fprintf(&text, "\n%s\n", readable(beginning(body, maxReported)))
	}
	if len(body) > maxReported {
		fmt.Fprintf(&text, "(the first %s of %s)\n", size(maxReported), size(len(body)))
	}
	return text.String()
}
