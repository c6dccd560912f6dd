package messages

// problems says what is wrong with an input, and what to do.
var problems = Texts{
	"text.too_long":      "Use at most %s characters.",
	"email.invalid":      "Enter an e-mail address, such as anna@example.com.",
	"password.too_short": "Use at least %s characters; a few words are easy to remember.",

	"name.missing":            "Enter a name.",
	"name.invisible":          "Use characters that can be seen, and none that turn the direction of writing or break the line.",
	"text.control_characters": "Leave out control characters, such as line breaks and tabs.",
	"name.control_characters": "Use letters, digits, signs and spaces only, no control characters.",

	"url.missing":     "Enter the URL to call, such as https://example.com/bookings.",
	"url.too_long":    "This URL has more than %s characters; use a shorter one.",
	"url.not_utf8":    "This URL has characters that cannot be read; type it again.",
	"url.space":       "A URL cannot contain spaces, line breaks or control characters; write a space as %%20.",
	"url.fragment":    "Remove the part of the URL from # on; a server never sees it.",
	"url.no_scheme":   "Begin the URL with https://, such as https://example.com/bookings.",
	"url.unreadable":  "This is not a URL that can be called; check host, port and percent signs.",
	"url.scheme":      "Bookhook calls https:// and http:// URLs only, not %s://.",
	"url.credentials": "Remove the user name and password from the URL; deliveries are signed instead.",
	"url.no_host":     "The URL names no host; write it as https://example.com/bookings.",
	"url.host":        "“%s” is not a host name; check its spelling.",
	"url.own":         "This is an address of Bookhook itself, so every event would come back. Enter the URL of the system that is to receive the events.",
	"url.port":        "The port must be a number from 1 to 65535.",

	"basic.not_ascii":   "Use letters without accents, digits and signs only, no control characters.",
	"basic.outer_space": "Remove the space at the beginning or the end.",
	"basic.again":       "The stored value was given for another scheme, host or port. Enter it again for this URL, or remove it.",

	"ref.half_character":     "Has half of a character: an escape such as \\ud83d without its other half, or bytes that are no UTF-8.",
	"ref.control_characters": "Use letters, digits and signs only, no control characters.",
	"item.id_missing":        "Enter the id that your booking system uses.",
	"item.id_separator":      "An id has no spaces and no commas.",
	"import.line":            "1 line has a problem; nothing was imported.",
	"import.lines":           "%s lines have a problem; nothing was imported.",

	"type.missing":      "Choose the type: async or inline.",
	"type.stays":        "The type of a webhook cannot be changed. Create a new webhook of the other type, and delete this one.",
	"time_limit.range":  "Choose a number of seconds from 1 to %s.",
	"concurrency.range": "Choose a number from 1 to %s.",
	"rate.requests":     "Enter a number from 1 to %s, or leave it out for no limit.",
	"rate.per":          "Choose the unit of the limit: second or minute.",
	"format.missing":    "Choose the format: native or standard.",

	"events.missing":    "Choose at least one event, or all events.",
	"events.unknown":    "There is no event %s. Check the spelling, or choose from the list.",
	"events.inline_all": "A synchronous webhook receives certain events only; choose them one by one.",
	"events.not_inline": "Booking platforms send %s only after the booking is accepted. Leave it out, or create an asynchronous webhook for it.",

	"filter.mode":       "Choose one of: %s.",
	"channels.missing":  "Choose at least one channel, or all channels.",
	"channels.too_many": "Choose at most %s channels.",
	"channels.unknown":  "This account has no channel with the id %s. Correct it, or add the channel to your list first.",
	"tours.missing":     "Choose at least one tour, or all tours.",
	"tours.too_many":    "Choose at most %s tours.",
	"tours.unknown":     "This account has no tour with the id %s. Correct it, or add the tour to your list first.",

	"channels.all_taken": "The webhook “%s” is for all channels, and a channel has one synchronous webhook. " +
		"Select different channels for one of the two, or delete the other webhook.",
	"channels.taken": "The webhook “%s” is for the channel %s, and a channel has one synchronous webhook. " +
		"Leave the channel out here, or remove it there.",
}
