package wink

import "bookhook/messages"

// texts are the sentences of the platform's own messages.
var texts = messages.Texts{
	"wink.no_event": "No event is named at the top of the body. Bookhook looks for a key of Wink's catalogue in %s. " +
		"Wink does not publish what it sends; report this body to the makers of Bookhook.",
	"wink.event": "The body names no event of Wink's catalogue: %s. If this is an event of Wink, report it to the makers of Bookhook.",
}
