package messages

// mail says why a message was not sent by e-mail, and what came of what people did
// about e-mail.
var mail = Texts{
	"mail.host":        "There is no mail server %s: its name cannot be found. Correct the host in --mail.",
	"mail.refused":     "No mail server is listening at %s. Check host and port in --mail, and that the server is running.",
	"mail.timeout":     "The mail server %s did not answer in time. A wrong port or a firewall is the usual reason.",
	"mail.network":     "The connection to the mail server %s broke.",
	"mail.certificate": "The certificate of the mail server %s is not trusted, so nothing was sent to it (%s). Use the name that its certificate is for, or let this machine trust its issuer.",
	"mail.not_tls":     "The mail server %s does not begin with TLS, as smtps:// expects. Use smtp:// for this port, or port 465.",
	"mail.tls":         "No encrypted connection to the mail server %s could be agreed on.",
	"mail.no_tls":      "The mail server %s offers no encryption (STARTTLS), so the password was not sent to it. Use a port that does, or smtps://.",
	"mail.no_sign_in":  "The mail server %s offers no sign-in by user and password on this port. Use another port, or leave out user and password.",
	"mail.greeting":    "The mail server %s does not accept this machine: “%s”.",
	"mail.sign_in":     "The mail server %s refused the sign-in: “%s”. Check user and password in --mail.",
	"mail.sender":      "The mail server %s does not accept messages from %s: “%s”. Check --mail-from.",
	"mail.recipient":   "The mail server %s does not accept messages to %s: “%s”.",
	"mail.content":     "The mail server %s refused the message: “%s”.",
	"mail.later":       "The mail server %s asked to try again later: “%s”.",
	"mail.address":     "No message can be sent to the address %s.",
	"mail.internal":    "Bookhook could not write the message. The reason is in its log.",
	"mail.unknown":     "This Bookhook does not know this kind of message; a newer one does.",

	"mail.about.invitation": "Invitation",
	"mail.about.reset":      "Forgotten password",
	"mail.about.incident":   "Notice",
	"mail.about.confirm":    "Confirmation of an address",
	"mail.about.fallback":   "Bookings of a failing webhook",
	"mail.about.test":       "Test message",

	"mail.tested":   "The mail server %s took the test message for %s. If it is not in the inbox within a few minutes, look among the spam.",
	"mail.test_too": "You have sent many test messages. Wait 15 minutes.",

	"notices.saved":  "Your notices were saved.",
	"notices.limits": "Saved when a failing webhook is reported, for everybody.",
	"notices.after":  "Choose a time from the list.",

	"fallback.sent":      "We are sending a link to %s. Bookings go there once somebody has opened it and confirmed.",
	"fallback.saved":     "Saved what is sent to %s.",
	"fallback.removed":   "Bookings are no longer sent to %s.",
	"fallback.no_mail":   "E-mail is not set up, so nothing can be sent.",
	"fallback.inline":    "Nothing waits for a synchronous webhook, so there is nothing to send.",
	"fallback.confirmed": "%s is confirmed already.",

	"invitation.sent":      "We are sending an invitation to %s. It is listed here until they have chosen a password.",
	"invitation.withdrawn": "The invitation of %s was withdrawn; its link no longer works.",
	"invitation.exists":    "There is an invitation for this address already. Send it again below.",
	"invitation.accepted":  "Your password is set. Sign in with it.",
	"invitation.no_mail":   "E-mail is no longer set up, so no invitation can be sent.",
	"reset.done":           "Your new password is set, and other browsers were signed out. Sign in with it.",
	"reset.too_many":       "Too many requests. Wait 15 minutes.",
}
