package demo

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Receivers are four servers on loopback; the fields are their URLs without a
// slash at the end.
type Receivers struct {
	Healthy string // answers 200, after at most 60 ms
	Flaky   string // every third request fails, and every fifth booking at /messages
	Down    string // answers 503, always
	Back    string // answers 404 to the first requests, as if it were being updated, and then 200

	servers []*http.Server
}

// messages is the path of the flaky receiver that sends messages to guests.
const messages = "/messages"

// StartReceivers starts them, each on a free port of 127.0.0.1.
func StartReceivers() (*Receivers, error) {
	r := &Receivers{}
	for _, s := range []struct {
		url     *string
		handler http.HandlerFunc
	}{{&r.Healthy, healthy}, {&r.Flaky, flaky()}, {&r.Down, down}, {&r.Back, back()}} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, errors.Join(fmt.Errorf("start a receiver: %w", err), r.Close())
		}
		*s.url = "http://" + listener.Addr().String()
		server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 5 * time.Second}
		r.servers = append(r.servers, server)
		go server.Serve(listener) //nolint:errcheck // ends with Close
	}
	return r, nil
}

// Close stops them at once.
func (r *Receivers) Close() error {
	var err error
	for _, server := range r.servers {
		err = errors.Join(err, server.Close())
	}
	return err
}

func healthy(w http.ResponseWriter, r *http.Request) {
	delay(r, 10, 60)
	respond(w, http.StatusOK, "application/json", `{"received":true}`)
}

// flaky returns a handler that starts with a success, so that both outcomes can be
// seen soon. A booking whose guest has no e-mail address fails at every attempt.
func flaky() http.HandlerFunc {
	var requests atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		delay(r, 30, 250)
		if noEmail(r) {
			respond(w, http.StatusUnprocessableEntity, "application/json", `{"error":"the guest has no e-mail address"}`)
			return
		}
		if requests.Add(1)%3 == 2 {
			respond(w, http.StatusInternalServerError, "application/json", `{"error":"the database is locked, try again"}`)
			return
		}
		respond(w, http.StatusOK, "application/json", `{"queued":true}`)
	}
}

// noEmail reports whether the booking is one of those, every fifth, whose guest
// has no e-mail address.
func noEmail(r *http.Request) bool {
	var booking struct {
		ID string `json:"booking_id"`
	}
	if r.URL.Path != messages || json.NewDecoder(r.Body).Decode(&booking) != nil {
		return false
	}
	return strings.HasSuffix(booking.ID, "0") || strings.HasSuffix(booking.ID, "5")
}

func down(w http.ResponseWriter, r *http.Request) {
	delay(r, 1, 10)
	respond(w, http.StatusServiceUnavailable, "text/html",
		"<html><head><title>503 Service Unavailable</title></head><body><h1>Back after the winter</h1></body></html>\n")
}

// outage is how many requests are refused before the receiver is back: all attempts of
// some deliveries.
const outage = 100

// back returns a handler that is away at first. With 404 each delivery fails for itself,
// since the receiver as a whole answers.
func back() http.HandlerFunc {
	var requests atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) {
		delay(r, 10, 60)
		if requests.Add(1) <= outage {
			respond(w, http.StatusNotFound, "application/json", `{"error":"the voucher service is being updated"}`)
			return
		}
		respond(w, http.StatusOK, "application/json", `{"printed":true}`)
	}
}

func respond(w http.ResponseWriter, status int, contentType, body string) {
	w.Header().Set("Content-Type", contentType)
	w.WriteHeader(status)
	io.WriteString(w, body) //nolint:errcheck // the client notices it
}

// delay waits as long as a distant server would take, in milliseconds.
func delay(r *http.Request, least, most int) {
	sleep(r.Context(), time.Duration(least+rand.IntN(most-least))*time.Millisecond)
}
