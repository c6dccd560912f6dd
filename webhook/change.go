package webhook

import "time"

// Change says who changes something, and when.
type Change struct {
	By string // a user's e-mail address, a program such as "API token till", [ByCommandLine] or [ByBookhook]
	At time.Time
}

// Who changes something when it is no user.
const (
	ByCommandLine = "command line"
	ByBookhook    = "Bookhook"
)

// AuditEntry is one entry of the activity log.
type AuditEntry struct {
	ID      AuditID
	Account AccountID // zero: of the instance
	Change
	Action  string   // a code, such as "webhook.created"
	Subject string   // the id of what it was done to, such as "whk_…" or a channel's own id
	Args    []string // what else the sentence needs, such as the webhook's name
}

// Message is what was done, without who and when.
func (e AuditEntry) Message() Message {
	return Message{Code: "activity." + e.Action, Args: e.Args}
}
