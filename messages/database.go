package messages

// database are why the database cannot be used.
var database = Texts{
	"database.stopping": "Bookhook is stopping.",
	"database.full":     "The disk that holds Bookhook's database is full.",
	"database.locked":   "Another program keeps Bookhook's database locked.",
	"database.unusable": "Bookhook's database cannot be read or written.",
	"database.damaged":  "Bookhook's database is damaged.",
}
