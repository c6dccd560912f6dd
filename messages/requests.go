package messages

// requests says what is wrong with a request of a program (its JSON, its query or
// its form), and what to send.
var requests = Texts{
	"field.unknown":    "There is no field of this name here; check the spelling.",
	"field.twice":      "Appears twice.",
	"field.object":     "Must be an object, such as {…}.",
	"field.no_object":  "Must be present, and be an object, such as {…}.",
	"field.type":       "Must be %s.",
	"field.text":       "Must be text in quotes.",
	"field.surrogate":  "Has an escape such as \\ud83d that is only half of a character. Send both halves, or the character itself.",
	"field.id":         "Must be an id: text in quotes, or a whole number without a sign.",
	"field.id_empty":   "An id cannot be empty.",
	"field.too_many":   "Send at most %s %s; these are %s.",
	"field.time":       "“%s” is not a time as RFC 3339 defines it, such as 2026-11-21T09:00:00Z.",
	"field.time_space": "“%s” is not a time as RFC 3339 defines it, such as 2026-11-21T09:00:00Z. In a URL, write + as %%2B.",
	"field.time_range": "Send a time after 1970 and before the year 9000.",

	"query.unknown": "There is no such parameter here. Known: %s.",
	"query.none":    "There are no parameters here.",
	"query.twice":   "Send this parameter once.",
	"query.number":  "Send a whole number from %s to %s.",
	"query.cursor":  "Send the next_cursor of the page before, as it is.",
	"query.id":      "This is not such an id; it begins with %s_ and has 13 characters after that.",
	"query.event":   "There is no event “%s”. Check the spelling.",

	"replay.nothing":         "Say what to send: deliveries, or events with a webhook_id. {} is all of them.",
	"replay.both":            "Send deliveries or events, not both.",
	"replay.webhook_missing": "Say which webhook the events are sent to.",
	"replay.webhook_unknown": "This account has no such webhook, or it was deleted.",
	"replay.ticked":          "Tick at most %s deliveries, or choose them with a filter.",
	"replay.unknown":         "This account has no such replay.",
	"query.one_of":           "Send one of: %s.",

	"event.id":            "Use at most %s characters, none of them control characters.",
	"event.id_reserved":   "Ids that begin with “%s” are reserved for Bookhook. Use another prefix.",
	"event.platform":      "There is no platform “%s”. Known: %s.",
	"event.type":          "%s has no event “%s”. Known: %s.",
	"event.type_missing":  "Say what happened, with one of: %s.",
	"event.data_too_long": "Send at most %s KiB of data.",

	"idempotency.other_id": "Leave the header out, or give the same id in both: the body has the id “%s”.",
	"idempotency.twice":    "Send this header once.",
	"idempotency.batch":    "This header is for a single event. Give each event of a batch its own id.",

	"call.booking_missing": "Say which booking this is about.",
	"call.data":            "There is no field of this name here; send the document under xml.",
	"call.type":            "There are no inline calls for “%s”. Known: %s.",
	"call.xml":             "This cannot be sent: %s.",
	"call.xml_too_long":    "Send at most %s KiB.",

	"items.not_sent":   "Send the list, such as [{\"id\":\"3930\",\"name\":\"Website\"}].",
	"items.twice":      "The id %s is in the list twice.",
	"events.none_sent": "Send at least one event.",
	"events.star":      "“*” stands for all events; send it alone.",
	"events.one_of":    "Send at least one of: %s.",

	"webhook.inline_only": "Only a synchronous webhook has a time limit; leave it out.",
	"webhook.async_only":  "A synchronous webhook is called at once, whatever else is in flight; leave this out.",
	"format.inline":       "A synchronous webhook is called in the native format only.",
	"filter.all_ids":      "The mode “all” takes no ids.",
	"rate.object":         "Send requests and per, such as {\"requests\":60,\"per\":\"minute\"}, or null for no limit.",
	"url.no_mail":         "Bookhook sends no mail. Send a webhook_url too.",
	"notification.item":   "Send the id of a product, a payment or an order; the sample is about it.",

	"request.method": "%s sends by %s, and this is %s. Is the address entered at another platform?",
	"request.empty":  "%s sends by %s, and this is %s. The address is right, but the request carries no event.",
	"request.address": "The address or the Host header of the request contains characters that are not allowed there, so it could not be read. " +
		"Check what is between the platform and Bookhook.",
	"request.too_large": "A request body may have at most %s MiB. Send less at once.",
	"request.encoding":  "Send the body as it is, without a Content-Encoding.",
	"request.same_id":   "A notification with the id “%s” was received before with other content. That one is valid; this one was delivered to nobody.",
}
