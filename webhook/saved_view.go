package webhook

import "time"

// MaxSavedViews is how many views one person may keep, of all lists together.
const MaxSavedViews = 20

// ViewedList is a list that views are kept of; the text is its path without a slash.
type ViewedList string

// The lists with views.
const (
	ViewedDeliveries ViewedList = "deliveries"
	ViewedEvents     ViewedList = "events"
)

// SavedView is a filter of a list that a person keeps under a name.
type SavedView struct {
	ID        ViewID
	Account   AccountID
	User      UserID
	List      ViewedList
	Name      string // unique in the list of the person
	Query     string // of the list's address: the filter, without a page
	CreatedAt time.Time
}
