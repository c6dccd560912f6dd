package db

// SetSearch bounds how many rows one request looks at.
func (s *Store) SetSearch(rows int) { s.search = rows }
