package power

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// mark is what the binary said or heard at a moment.
type mark struct {
	at    int
	since int // of taken: when its request was read
	kind  markKind

	id       string   // evt_… of taken, whk_… of created, the number of added, dlv_… of the others
	children []string // of taken: its deliveries
	number   int      // of the attempt; of replayed, and of shown if it is not pending, attempts made by then, else those that had ended
	status   int      // of heard
	state    string   // of shown
}

type markKind int

const (
	taken    markKind = iota // an event was answered with 202, or with 200 because it was there
	asked                    // a replay was asked for
	replayed                 // a replay was answered with 200 or 202
	added                    // the command ended that adds an account
	created                  // a webhook was made, and answered with 201
	shown                    // a delivery was shown
	sent                     // a request to a receiver began
	heard                    // and was answered
)

// part is what one call wrote to a socket or read from it.
type part struct {
	end  int // offset in the stream behind it
	call *call
}

// stream is all that went over a connection one way.
type stream struct {
	data  []byte
	parts []part
}

func (s *stream) add(c *call) {
	s.data = append(s.data, c.texts[0][:min(int(c.result), len(c.texts[0]))]...)
	s.parts = append(s.parts, part{len(s.data), c})
}

// holder is the call that has the byte at the offset.
func (s *stream) holder(offset int) *call {
	i, _ := slices.BinarySearchFunc(s.parts, offset, func(p part, at int) int { return p.end - at - 1 })
	return s.parts[i].call
}

// message is a request with its answer, which may be missing. Offsets are those of the first byte.
type message struct {
	request    *http.Request
	asked      int
	answer     *http.Response
	body       []byte // nil if the answer was cut off
	answeredAt int
}

// listen finds the marks: it reads what went over each connection as HTTP.
func (tp *tape) listen() error {
	type connection struct{ in, out *stream }
	connections := map[string]*connection{}
	var order []string
	for _, c := range tp.calls {
		if !strings.HasPrefix(c.on, "socket:") || c.failed || c.end == never || c.result == 0 || len(c.texts) == 0 {
			continue
		}
		key := fmt.Sprint(c.run, c.on)
		if connections[key] == nil {
			connections[key] = &connection{&stream{}, &stream{}}
			order = append(order, key)
		}
		switch c.name {
		case "read":
			connections[key].in.add(c)
		case "write":
			connections[key].out.add(c)
		default:
			return fmt.Errorf("%s on %s is not understood", c.name, c.on)
		}
	}
	for _, key := range order {
		c := connections[key]
		if called := len(c.in.parts) > 0 && (len(c.out.parts) == 0 || c.in.parts[0].call.end < c.out.parts[0].call.begin); called {
			for _, m := range messages(c.in.data, c.out.data) {
				tp.asks(m, c.in)
				if err := tp.answered(m, c.in, c.out); err != nil {
					return err
				}
			}
		} else {
			for _, m := range messages(c.out.data, c.in.data) {
				tp.delivered(m, c.out, c.in)
			}
		}
	}
	slices.SortStableFunc(tp.marks, func(a, b mark) int { return a.at - b.at })
	return nil
}

// messages reads the requests and answers of a connection; what was cut off is left out.
func messages(requests, answers []byte) (all []message) {
	asks, askSource := counted(requests)
	tells, tellSource := counted(answers)
	for {
		m := message{asked: len(requests) - askSource.Len() - asks.Buffered(), answeredAt: len(answers) - tellSource.Len() - tells.Buffered()}
		var err error
		if m.request, err = http.ReadRequest(asks); err != nil {
			return all
		}
		_, bodyError := io.Copy(io.Discard, m.request.Body)
		if m.answer, err = http.ReadResponse(tells, m.request); err == nil {
			if m.body, err = io.ReadAll(m.answer.Body); err != nil {
				m.body = nil
			}
		}
		all = append(all, m)
		if errors.Join(bodyError, err) != nil {
			return all
		}
	}
}

func counted(data []byte) (*bufio.Reader, *bytes.Reader) {
	source := bytes.NewReader(data)
	return bufio.NewReader(source), source
}

// delivered marks a request to a receiver, from the moment its first byte may have left, and its answer, from the
// moment it was read.
func (tp *tape) delivered(m message, out, in *stream) {
	number, err := strconv.Atoi(m.request.Header.Get("bookhook-attempt"))
	if err != nil {
		return // no delivery
	}
	id := m.request.Header.Get("webhook-id")
	tp.marks = append(tp.marks, mark{at: out.holder(m.asked).begin, kind: sent, id: id, number: number})
	if m.answer != nil {
		tp.marks = append(tp.marks, mark{at: in.holder(m.answeredAt).end, kind: heard, id: id, number: number, status: m.answer.StatusCode})
	}
}

// asks marks a request for a replay: from now on it may be there, answered or not.
func (tp *tape) asks(m message, in *stream) {
	path, replay := strings.CutSuffix(m.request.URL.Path, "/replay")
	if id, delivery := strings.CutPrefix(path, "/api/v1/deliveries/"); replay && delivery {
		tp.marks = append(tp.marks, mark{at: in.holder(m.asked).begin, kind: asked, id: id})
	}
}

// answered marks what an answer of the API promises, from the moment its first byte may have left.
func (tp *tape) answered(m message, in, out *stream) error {
	if m.answer == nil || m.answer.StatusCode >= 300 || len(m.body) == 0 {
		return nil
	}
	path := strings.TrimPrefix(m.request.URL.Path, "/api/v1")
	if path == m.request.URL.Path {
		return nil
	}
	var answer struct {
		accepted
		Items []accepted
		State string
		Made  int `json:"attempts_made"`

		Attempts []struct{ Number int } // those that have ended
	}
	if err := json.Unmarshal(m.body, &answer); err != nil {
		return fmt.Errorf("%s %s answered %s: %w", m.request.Method, path, m.body, err)
	}
	base := mark{at: out.holder(m.answeredAt).begin, since: in.holder(m.asked).begin, id: answer.ID, number: answer.Made, state: answer.State}
	switch route := m.request.Method + " " + path; {
	case route == "POST /events":
		tp.take(base, answer.accepted)
	case route == "POST /events/batch":
		tp.take(base, answer.Items...)
	case route == "POST /webhooks":
		base.kind = created
		tp.marks = append(tp.marks, base)
	case strings.HasPrefix(route, "POST /deliveries/"):
		base.kind = replayed
		tp.marks = append(tp.marks, base)
	case strings.HasPrefix(route, "GET /deliveries/"):
		base.kind = shown
		if answer.State == "pending" { // one that was not made yet may be given back
			base.number = 0
			for _, a := range answer.Attempts {
				base.number = max(base.number, a.Number)
			}
		}
		tp.marks = append(tp.marks, base)
	}
	return nil
}

// accepted is an event in an answer.
type accepted struct {
	ID         string
	Deliveries []struct{ ID string }
}

func (tp *tape) take(base mark, events ...accepted) {
	for _, e := range events {
		m := mark{at: base.at, since: base.since, kind: taken, id: e.ID}
		for _, d := range e.Deliveries {
			m.children = append(m.children, d.ID)
		}
		tp.marks = append(tp.marks, m)
	}
}
