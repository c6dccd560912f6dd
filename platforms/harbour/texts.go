package harbour

import "bookhook/messages"

// texts are the sentences of the platform's own messages.
var texts = messages.Texts{
	"harbour.key":   "The request does not carry the key that is set for Harbour. Enter the one that Harbour shows under Notifications.",
	"harbour.event": "Harbour is not known to have an event “%s”.",
}
