package db

import (
	"time"

	"bookhook/webhook"
)

// SetSearch bounds how many rows one request looks at.
func (s *Store) SetSearch(rows int) { s.search = rows }

// Pass makes all further ids as if so much time had passed.
func (s *Store) Pass(passed time.Duration) {
	now := s.newID
	s.newID = func() webhook.ID {
		id := now()
		return id + webhook.FirstID(id.Time().Add(passed)) - webhook.FirstID(id.Time())
	}
}
