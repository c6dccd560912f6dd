package messages

import (
	"math"

	"bookhook/webhook"
)

// limits says which limit an account has reached, and what to do. The arguments of
// each are those of Limit, as far as it needs them.
var limits = Texts{
	"limit.webhook": "This account may have %s asynchronous webhooks. Webhooks that are off count too. Delete one, or %s to raise the limit.",
	"limit.inline":  "This account has %s synchronous webhooks and may have %s. Delete one, then create the new one.",
	"limit.filter":  "All webhooks of this account together may name channels and tours with %s KiB, and these would be %s KiB too many. Nothing was changed. Name fewer: exclude some tours rather than include most.",
	"limit.token":   "This account has %s API tokens and may have %s. Revoke one that is no longer used, then create the new one.",
	"limit.client":  "This account has %s clients and may have %s. Revoke one that is no longer used, then create the new one.",
	"limit.draft":   "This account has %s drafts and may have %s. Finish or discard one, then start the new one.",
	"limit.person":  "This account has %s people and may have %s. Remove somebody who no longer needs access, then add the new person.",
	"limit.channel": "This account has %s channels in use and may have %s; these would be %s too many. Nothing was changed. Retire channels that are no longer used, or add fewer.",
	"limit.tour":    "This account has %s tours in use and may have %s; these would be %s too many. Nothing was changed. Retire tours that are no longer sold, or add fewer.",
	"limit.view":    "You have %s saved views and may have %s. Delete one that you no longer use, then save this one.",
	"limit.check":   "Your account has used its %s checks and tests of this minute. Nothing was sent, and nothing is lost: go on, or try again in %s seconds.",

	"limit.invitation":      "Your account has sent %s invitations within a day, the most that it may. Nothing was sent. Try again tomorrow.",
	"limit.invitation_to":   "%s invitations were sent to this address within a day, the most that it may get. Nothing was sent. Ask the person to look into their spam folder, or try again tomorrow.",
	"limit.confirmation":    "Your account has asked %s times within a day to confirm an address, the most that it may. Nothing was sent. Try again tomorrow.",
	"limit.confirmation_to": "%s messages to confirm it were sent to this address within a day, the most that it may get. Nothing was sent. Look into its spam folder, or try again tomorrow.",

	"limit.replay":   "%s replays of this account are running, and there may be %s at a time. Wait until one is done, or cancel one.",
	"limit.replayed": "These are more than %s deliveries, the most that one replay sends. Choose a shorter period or one webhook, and replay the rest afterwards.",
	"limit.planned":  "Other replays are being counted or prepared right now. Nothing was sent. Try again in %s seconds.",

	"limit.held":        "This list has more than %s different references, the most that are compared at once. Upload a shorter period.",
	"limit.reconciled":  "The webhook was sent more than %s deliveries in this period, the most that are compared at once. Choose a shorter period.",
	"limit.reconciling": "Another list is being compared. Try again in a few seconds: this list is kept.",
}

// Limit returns the message about a limit that was reached. support is whom people
// ask to raise it, where it can be raised.
func Limit(e webhook.LimitReached, support webhook.Support) webhook.Message {
	code := "limit." + string(e.What)
	switch e.What {
	case webhook.LimitedWebhooks:
		return webhook.NewMessage(code, e.Limit, Ask(support)+" "+string(support))
	case webhook.LimitedChannels, webhook.LimitedTours:
		return webhook.NewMessage(code, e.Used, e.Limit, e.Over)
	case webhook.LimitedFilters:
		return webhook.NewMessage(code, e.Limit>>10, e.Over>>10+1)
	case webhook.LimitedReconciling:
		return webhook.NewMessage(code)
	case webhook.LimitedReplayed, webhook.LimitedHeld, webhook.LimitedReconciled, webhook.LimitedInvitations, webhook.LimitedInvitationsTo,
		webhook.LimitedConfirmations, webhook.LimitedConfirmationsTo:
		return webhook.NewMessage(code, e.Limit)
	case webhook.LimitedPlans:
		return webhook.NewMessage(code, RetrySeconds(e))
	case webhook.LimitedChecks:
		return webhook.NewMessage(code, e.Limit, RetrySeconds(e))
	}
	return webhook.NewMessage(code, e.Used, e.Limit)
}

// RetrySeconds is after how many seconds what a limit refused may be repeated, at
// least 1.
func RetrySeconds(e webhook.LimitReached) int { return max(1, int(math.Ceil(e.Wait.Seconds()))) }
