package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"
)

// Shop is the booking system: an ordinary user of Bookhook's JSON API.
type Shop struct {
	URL   string // of Bookhook, without a slash at the end
	Token string
}

// Run posts what happens to bookings until ctx ends: the first few at once,
// then one every second or two. An error is one of the first answer; later
// ones are for Bookhook's log to tell.
func (s Shop) Run(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	b := newBookings(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	for n := 0; ctx.Err() == nil; n++ {
		if err := s.post(ctx, client, b.next(time.Now())); err != nil && n == 0 && ctx.Err() == nil {
			return fmt.Errorf("send the first booking: %w", err)
		}
		wait := time.Second + rand.N(time.Second)
		if n < len(channels) {
			wait = 150 * time.Millisecond
		}
		pause(ctx, wait)
	}
	return nil
}

func (s Shop) post(ctx context.Context, client *http.Client, e event) error {
	body, err := json.Marshal(e)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.Token)
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 1<<16)) // to its end, so that the connection is used again
	if err == nil && response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("%s: %s", response.Status, answer)
	}
	return err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
