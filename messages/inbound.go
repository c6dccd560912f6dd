package messages

// inbound says why a platform's request was rejected, and what went wrong before
// an event was matched.
var inbound = Texts{
	"json.content_type": "The content type is “%s”, but this platform sends JSON. " +
		"Check that the request comes from the platform, and that it is sent as application/json.",
	"json.empty": "The body is empty. Check that the platform sends its notification as a POST with JSON, " +
		"and that nothing between it and Bookhook drops the body.",
	"json.not_utf8":         "The body is not valid UTF-8. Have whatever sends it write JSON in UTF-8.",
	"json.too_deep":         "The body is nested more than %s levels deep, which no booking is; check that the request comes from the platform.",
	"json.syntax":           "The body is not valid JSON: %s. It may have been cut off or changed on its way; have it sent again.",
	"json.syntax_at":        "The body is not valid JSON: %s (byte %s). It may have been cut off or changed on its way; have it sent again.",
	"json.invalid":          "The body is not valid JSON; have it sent again.",
	"json.too_many_members": "The body has an object or a list with more than %s entries, which no booking has; check that the request comes from the platform.",
	"json.no_object":        "The JSON is not an object. Check that the request comes from the platform; its notifications are written as {…}.",
	"json.key_twice": "The key “%s” is in one object twice, so it is not clear which of the two is meant. " +
		"Have whatever writes the body write each key once.",

	"refs.too_many_tours": "The event names %s tours; Bookhook stores at most %s.",
	"refs.channel":        "The id of the channel, “%s”, cannot be stored. %s",
	"refs.booking":        "The id of the booking, “%s”, cannot be stored. %s",
	"refs.tour":           "The id of the tour, “%s”, cannot be stored. %s",

	"lookup.failed":       "%s could not be asked for the tours of this booking: %s. It was matched as a booking without tours.",
	"lookup.no_settings":  "the settings needed for it were removed",
	"lookup.blocked":      "Bookhook does not call %s, which is %s; ask the person who runs this Bookhook to allow it",
	"lookup.blocked_name": "Bookhook does not call %s, which leads to %s; ask the person who runs this Bookhook to allow it",
	"lookup.dns":          "the name %s could not be looked up",
	"lookup.tls":          "no secure connection to %s could be made",
	"lookup.refused":      "%s refused the connection",
	"lookup.timeout":      "%s gave no complete answer within %s",
	"lookup.no_place":     "Bookhook has too many connections open to make another one",
	"lookup.network":      "the connection to %s broke before the answer was complete",
	"lookup.address":      "its address cannot be called",
	"lookup.redirect":     "it answered %s, a redirect, which Bookhook does not follow",
	"lookup.too_large":    "its answer is larger than %s MiB",
	"lookup.too_many":     "it lists more than %s",
	"lookup.other":        "%s",
	"lookup.bug":          "there is a bug in Bookhook, which its log describes",
}
