package ltd

import "bookhook/messages"

// texts are the sentences of the platform's own messages.
var texts = messages.Texts{
	"ltd.no_type": "There is no MessageType in the body. Check that the request is a webhook of London Theatre Direct.",
	"ltd.event": "The MessageType is “%s”. Bookhook knows %s and %s, " +
		"the two that London Theatre Direct documents; report a new one to the makers of Bookhook.",
	"ltd.no_payload": "There is no Payload in the body, or it is not an object. Check that nothing between London Theatre Direct and Bookhook changes the body.",
}
