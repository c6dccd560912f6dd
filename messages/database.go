package messages

// database says why the database cannot be used, and why it refuses a change.
var database = Texts{
	"database.stopping":    "Bookhook is stopping.",
	"database.full":        "The disk that holds Bookhook's database is full.",
	"database.locked":      "Another program keeps Bookhook's database locked.",
	"database.unusable":    "Bookhook's database cannot be read or written.",
	"database.unreachable": "The server of Bookhook's database cannot be reached.",
	"database.damaged":     "Bookhook's database is damaged.",
	"database.unflushed":   "The disk failed while Bookhook's database was written. What was accepted is safe in the database's log: restart the machine, and Bookhook copies it again.",

	"number.taken":             "The number %s belongs to another account.",
	"email.taken":              "Somebody with this e-mail address signs in here already.",
	"item.id_taken":            "The id %s is in the list already; rename that one instead.",
	"event.send_test":          "This is a test event. Send a test from the page of the webhook.",
	"event.send_unmatched":     "This event still waits for what its platform says about the booking. Send it when that is known.",
	"delivery.inline_replay":   "This is a call before a booking is confirmed. It is made once, at that moment, and cannot be repeated later.",
	"delivery.inline_cancel":   "This is a call before a booking is confirmed, and finishes by itself within seconds.",
	"delivery.webhook_deleted": "The webhook of this delivery was deleted, so there is nowhere to send it.",
}
