package dispatch

import (
	"context"
	"sync"

	"bookhook/webhook"
)

// questions are those that are asked at this moment. There are no more of one
// account than a webhook may have requests in flight, so that a slow receiver
// takes no places of others; and of those with the same external id one at a
// time.
type questions struct {
	max int // over all accounts

	mu        sync.Mutex
	all       int
	byAccount map[webhook.ID]int
	byID      map[questionID]chan struct{} // closed when the question has ended
}

// questionID names a question; without an external id it is like no other.
type questionID struct {
	account  webhook.ID
	external string
}

func newQuestions(limit int) *questions {
	return &questions{max: limit, byAccount: map[webhook.ID]int{}, byID: map[questionID]chan struct{}{}}
}

// begin takes a place, once the same question has ended; without one it is
// webhook.ErrBusy. end gives it back.
func (q *questions) begin(ctx context.Context, id questionID) (end func(), err error) {
	for {
		end, same, err := q.take(id)
		if same == nil {
			return end, err
		}
		select {
		case <-same:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (q *questions) take(id questionID) (end func(), same chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if same = q.byID[id]; same != nil {
		return nil, same, nil
	}
	if q.all >= q.max || q.byAccount[id.account] >= webhook.MaxConcurrency {
		return nil, nil, webhook.ErrBusy
	}
	ended := make(chan struct{})
	if id.external != "" {
		q.byID[id] = ended
	}
	q.all++
	q.byAccount[id.account]++
	return func() { q.end(id, ended) }, nil, nil
}

func (q *questions) end(id questionID, ended chan struct{}) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if id.external != "" {
		delete(q.byID, id)
	}
	q.all--
	if q.byAccount[id.account]--; q.byAccount[id.account] == 0 {
		delete(q.byAccount, id.account)
	}
	close(ended)
}
