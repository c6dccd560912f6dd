package messages

import (
	"net/http"
	"strconv"
	"strings"

	"bookhook/webhook"
)

// attemptTexts are the summaries of a failed attempt, for lists and stories. They
// depend only on the failure and the status, which is all that a delivery stores;
// the attempt's own message (failures.go) says more.
type attemptTexts struct {
	word     string // in a list, in a few words
	sentence string // what happened; {receiver} is replaced by its name, {status} by its status
	advice   string // what to do about it; "" if it depends on the status
	who      string // can fix it; "" if it depends on the status
}

// Who can fix a failure.
const (
	byOperator = "You can fix this in the settings of the webhook."
	byReceiver = "Whoever runs {receiver} can fix this."
	byEither   = "You can fix this if the URL or its credentials are wrong; otherwise whoever runs {receiver} can."
)

var attempts = map[webhook.Failure]attemptTexts{
	webhook.FailBlocked: {
		"Address not allowed", "The URL leads to a private or reserved network address, which Bookhook does not call.",
		"Correct the URL, or ask " + webhook.DefaultSupport + " to allow the address.",
		"You can fix this by correcting the URL, or the person who runs this Bookhook by allowing the address.",
	},
	webhook.FailDNS: {
		"Host not found", "The host name in the URL was not found.",
		"Check the spelling of the host in the URL.",
		byEither,
	},
	webhook.FailTLS: {
		"Certificate problem", "No secure connection: the certificate of {receiver} is missing, expired or not trusted.",
		"Ask whoever runs the receiver to renew its certificate.",
		byReceiver,
	},
	webhook.FailRefused: {
		"Connection refused", "The connection was refused: nothing is listening at the address.",
		"Check that the receiver is running, and the port in the URL.",
		byReceiver,
	},
	webhook.FailTimeout: {
		"No answer in time", "{receiver} did not answer in time.",
		"The receiver should answer first and do its work afterwards.",
		byReceiver,
	},
	webhook.FailNetwork: {
		"Connection lost", "The connection to {receiver} was lost before it had answered, or what it sent is not HTTP.",
		"Check the log of the receiver for why it closed the connection.",
		byReceiver,
	},
	webhook.FailRedirect: {
		"Redirected", "{receiver} redirected to another address ({status}), which Bookhook does not follow.",
		"Enter the final address as the URL.",
		byOperator,
	},
	webhook.FailLoop: {
		"Came back", "The event had already come through the Bookhook that {receiver} calls, which refused it ({status}): it would travel in a circle.",
		"Change the URL of the webhook to the system that is to receive the events.",
		byOperator,
	},
	webhook.FailAnswer: {
		"Invalid answer", "{receiver} answered {status}, but the body is neither empty nor a JSON object.",
		"The receiver has to answer with an empty body, or with a JSON object and the content type application/json.",
		byReceiver,
	},
	webhook.FailInternal: {
		"Not sent", "Bookhook could not create this request.",
		"Please tell " + webhook.DefaultSupport + ".",
		"The person who runs this Bookhook can fix this.",
	},
	webhook.CutOff: {
		"Interrupted", "Bookhook stopped during this attempt; it is not known whether {receiver} received it.", "",
		"Nobody has to fix this: Bookhook sends it again.",
	},
	webhook.FailGone:   {"Gone", "{receiver} answered {status}.", "The receiver says that this address no longer exists: ask for the new one.", byEither},
	webhook.FailStatus: {"Not accepted", "{receiver} answered {status}.", "", ""},
}

// FailureWord returns a failure in a few words.
func FailureWord(f webhook.Failure) string { return attempts[f].word }

// AnswerText returns the last response of a delivery in a few words.
func AnswerText(o webhook.Outcome) string {
	switch {
	case o.Failure == webhook.FailAnswer:
		return FailureWord(o.Failure)
	case Incomplete(o) && o.Failure == webhook.FailTimeout:
		return "Timed out"
	case Incomplete(o):
		return "Incomplete answer"
	case o.Status != 0:
		return StatusText(o.Status)
	case o.Failure == "":
		return ""
	}
	return FailureWord(o.Failure)
}

// OutcomeText says in a sentence how an attempt ended; receiver is the receiver's
// name.
func OutcomeText(o webhook.Outcome, receiver string) string {
	text := attempts[o.Failure].sentence
	switch {
	case Incomplete(o) && o.Failure == webhook.FailTimeout:
		text = "{receiver} began to answer {status}, but did not finish in time."
	case Incomplete(o):
		text = "{receiver} began to answer {status}, but the connection was lost before it had finished."
	case o.Failure == webhook.FailStatus && o.Status >= 200 && o.Status <= 299:
		text = "{receiver} answered {status}, but this format accepts only 200."
	case text == "":
		text = "{receiver} answered {status}."
	}
	text = strings.NewReplacer("{receiver}", receiver, "{status}", StatusText(o.Status)).Replace(text)
	return AtStart(text)
}

// Fix says who can fix a failure, and how; receiver is the receiver's name.
func Fix(o webhook.Outcome, receiver string) string {
	who := attempts[o.Failure].who
	switch {
	case who != "":
	case o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden || o.Status == http.StatusNotFound || o.Status == http.StatusMethodNotAllowed:
		who = byEither
	case o.Status == http.StatusTooManyRequests:
		who = "Whoever runs {receiver} can allow more requests, or you can give the webhook a rate limit."
	case o.RefusesBooking():
		who = "If what it answered is about the booking, you can correct that there; otherwise whoever runs {receiver} can fix this."
	default:
		who = byReceiver
	}
	return strings.ReplaceAll(who, "{receiver}", receiver) + " " + Advice(o)
}

// Advice says what to do about a failure.
func Advice(o webhook.Outcome) string {
	switch text := attempts[o.Failure].advice; {
	case text != "":
		return text
	case o.Status == http.StatusUnauthorized || o.Status == http.StatusForbidden:
		return "Check whether the receiver or its firewall requires a sign-in for this URL."
	case o.Status == http.StatusNotFound || o.Status == http.StatusMethodNotAllowed:
		return "Check the path of the URL, and the method that the receiver expects."
	case o.Status == http.StatusTooManyRequests:
		return "The receiver gets more requests than it accepts."
	case o.Status >= 500:
		return "Check the log of the receiver for the time of the last attempt."
	}
	if o.RefusesBooking() {
		return "A corrected booking comes as a new event, while a replay sends the same data again."
	}
	return "Correct what the receiver complains about."
}

// Incomplete reports whether a response began and did not finish; its status then
// does not count.
func Incomplete(o webhook.Outcome) bool {
	return o.Status != 0 && (o.Failure == webhook.FailTimeout || o.Failure == webhook.FailNetwork)
}

// IncompleteDetail says how an incomplete response began.
func IncompleteDetail(o webhook.Outcome) string { return "began as " + StatusText(o.Status) }

// StatusText returns a status with its name, such as "503 Service Unavailable".
func StatusText(status int) string {
	return strings.TrimSpace(strconv.Itoa(status) + " " + http.StatusText(status))
}

// NoName is the name of a receiver in sentences if the webhook has none.
const NoName = "the receiver"

// AtStart returns the text as the beginning of a sentence; names are not changed.
func AtStart(text string) string {
	if strings.HasPrefix(text, NoName) {
		return "T" + text[1:]
	}
	return text
}
