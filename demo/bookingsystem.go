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

// BookingSystem sends events like a real one: it is an ordinary client of
// Bookhook's JSON API.
type BookingSystem struct {
	URL   string // of Bookhook, without a slash at the end
	Token string
}

// burst is how many events come at once in the beginning.
const burst = 40

// Run posts events until ctx ends: the first ones at once, then one every second
// or two. It returns an error only if the first event is refused; later failures
// are in Bookhook's log.
func (s BookingSystem) Run(ctx context.Context) error {
	client := &http.Client{Transport: &http.Transport{}, Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	b := newBookings(rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64())))
	for n := 0; ctx.Err() == nil; n++ {
		if err := s.post(ctx, client, b.next(time.Now())); err != nil && n == 0 && ctx.Err() == nil {
			return fmt.Errorf("send the first booking: %w", err)
		}
		wait := time.Second + rand.N(time.Second)
		if n < burst {
			wait = 150 * time.Millisecond
		}
		sleep(ctx, wait)
	}
	return nil
}

func (s BookingSystem) post(ctx context.Context, client *http.Client, e event) error {
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
	text, err := io.ReadAll(io.LimitReader(response.Body, 1<<16)) // to its end, so that the connection is reused
	if err == nil && response.StatusCode != http.StatusAccepted {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}

func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
