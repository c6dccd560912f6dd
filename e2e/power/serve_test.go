package power

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// served is how many images of each recording the binary itself is started on.
const served = 2

// serve starts the binary as it is shipped on some images: it shows what was answered, and delivers.
func (tp *tape) serve(t testing.TB, s *shop, p plan) {
	t.Helper()
	var chosen []trial
	rng := rand.New(rand.NewPCG(p.seed, 5))
	seen := 0
	must(t, tp.images(p, func(one trial) {
		seen++
		if len(chosen) < served {
			chosen = append(chosen, one)
		} else if i := rng.IntN(seen); i < served {
			chosen[i] = one
		}
	}))
	for _, one := range chosen {
		folder := imageFolder(t)
		must(t, one.files.write(folder))
		tp.copied(t, s, tp.promises(one.moment), filepath.Join(folder, "bookhook.db"))
		tp.serves(t, s, tp.promises(one.moment), filepath.Join(folder, "bookhook.db"))
		_ = os.RemoveAll(folder)
	}
}

func (tp *tape) serves(t testing.TB, s *shop, p promises, database string) {
	t.Helper()
	running := startPlain(t, database)
	defer running.stop(t)
	webhooks := 0
	for _, m := range p.marks {
		switch m.kind {
		case created:
			webhooks++
		case taken:
			if status, body := s.call(running.url, "GET", "/events/"+m.id, nil); status != http.StatusOK {
				t.Errorf("event %s was answered before the power cut, and then: %d %s", m.id, status, body)
			}
		}
	}
	if len(tp.files) == 0 && webhooks < 3 {
		return // from the first start, before the account had all its webhooks
	}
	status, body := s.call(running.url, "POST", "/events", s.event())
	var answer accepted
	if err := json.Unmarshal(body, &answer); status != http.StatusAccepted || err != nil || len(answer.Deliveries) != 3 {
		t.Errorf("a new event after the power cut: %d %s", status, body)
		return
	}
	until := time.Now().Add(patience)
	for state := ""; state != "delivered"; time.Sleep(10 * time.Millisecond) {
		var shown struct{ State string }
		_, body = s.call(running.url, "GET", "/deliveries/"+answer.Deliveries[0].ID, nil)
		if err := json.Unmarshal(body, &shown); err != nil || time.Now().After(until) {
			t.Errorf("a new event after the power cut is not delivered: %s", body)
			return
		}
		state = shown.State
	}
}
