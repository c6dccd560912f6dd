package db

import (
	"time"

	"bookhook/webhook"
)

// SetSearch bounds how many rows one request looks at.
func (s *Store) SetSearch(rows int) { s.search = rows }

// Pass makes all further ids as if so much time had passed.
func (s *Store) Pass(passed time.Duration) {
	next := s.nextID
	s.nextID = func() int64 {
		id := webhook.EventID(next())
		return int64(id + webhook.FirstID[webhook.EventID](id.Time().Add(passed)) - webhook.FirstID[webhook.EventID](id.Time()))
	}
}
