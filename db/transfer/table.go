package transfer

import "strings"

// Copied are the tables that are copied; those that others refer to come first.
var Copied = []string{
	"settings", "accounts", "users", "sessions", "api_tokens", "clients", "client_tokens", "connections", "rejected_requests", "channels", "tours",
	"webhooks", "drafts", "events", "lookups", "deliveries", "attempts", "audit", "url_checks", "replays", "replay_items", "saved_views",
	"uploads", "upload_blocks", "reconciliations", "reconciliation_held", "reconciliation_lacking", "count_log", "attempt_counts", "event_counts",
	"outbox", "invitations", "password_resets", "incidents", "notice_settings", "notice_limits", "fallbacks",
}

// Left are the tables that are not copied, since every database has its own: the
// migrations that were run, which processes use it, and what was attempted in the last minutes.
var Left = []string{"goose_db_version", "bookhook_version", "last_writer", "replicas", "shards", "tries"}

// Kind is a type of values, for which each database has its own name.
type Kind byte

// The kinds.
const (
	Integer Kind = iota // of 64 bits
	Text
	Blob
)

// Column is a column of a table.
type Column struct {
	Name string
	Kind Kind
}

// Table is a table as both databases have it.
type Table struct {
	Name    string
	Columns []Column
	Key     []string // the columns of the primary key, in its order
}

// Names returns the names of the columns, for a statement.
func (t Table) Names() string {
	names := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		names[i] = c.Name
	}
	return strings.Join(names, ", ")
}

// Select returns the query of all rows in the order of the key, which is the same in both
// databases: texts compare by their bytes.
func (t Table) Select() string {
	return "SELECT " + t.Names() + " FROM " + t.Name + " ORDER BY " + strings.Join(t.Key, ", ")
}
