package prioticket

import "bookhook/messages"

// texts are the sentences of the platform's own messages.
var texts = messages.Texts{
	"prioticket.basic": "The request does not carry the Basic value that is set for Prioticket. " +
		"Enter the same value in the settings here and as webhook_auth at Prioticket, or empty it here.",
	"prioticket.event": "The notification_event is “%s”, which is not in the catalogue of Prioticket's events. " +
		"If Prioticket documents it, report it to the makers of Bookhook.",
	"prioticket.no_event": "There is no notification_event in the body. Bookhook looks for it in data.notification, in data, in notification and at the top. " +
		"Check that the request is a notification of Prioticket.",
	"prioticket.basic_not_ascii":   "Use letters, digits and signs without accents only; other characters cannot be sent in a header.",
	"prioticket.basic_outer_space": "Remove the spaces before and after the value.",
	"prioticket.basic_word":        "Leave out the word Basic; enter only what comes after it.",
}
