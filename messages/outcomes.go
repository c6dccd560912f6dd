package messages

// outcomes says what the result of a person's action on a page is, and what happens
// next.
var outcomes = Texts{
	"account.welcome":  "Welcome to Bookhook. These steps lead to your first delivered booking.",
	"checklist.hidden": "The checklist is hidden. You can show it again under Settings › Account.",
	"checklist.shown":  "The checklist is shown again.",
	"rejected.deleted": "The rejected requests are deleted. Further ones appear here.",
	"account.created":  "The account “%s” was created with the number %s. Add the first person who may sign in to it.",
	"account.limit":    "“%s” may now have %s webhooks.",
	"account.saved":    "The account was saved.",

	"password.changed": "Your password was changed. Other browsers were signed out.",
	"person.removed":   "%s was removed and signed out everywhere.",
	"person.role":      "The role of %s is now %s.",
	"token.revoked":    "The token was revoked. Requests that use it are refused from now on.",
	"client.revoked":   "The client and its access tokens were revoked. Its webhooks stay.",

	"platform.on":               "%s is on. Enter its address in %s, and choose its events in your webhooks.",
	"platform.off":              "%s is off. What it sends is stored and goes to no webhook until you switch it on again.",
	"platform.address_replaced": "%s already had a new address after you opened the page, so no other one was created. The current one is shown below.",
	"platform.address":          "%s has a new address. Enter it there; the old one works until %s.",
	"platform.saved":            "The settings for %s were saved. They apply to what is received from now on.",

	"item.added":          "“%s” was added. Webhooks can now select it.",
	"item.renamed":        "%s is now called “%s”.",
	"item.retired":        "“%s” was retired. It is no longer offered; webhooks that select it still match it.",
	"item.restored":       "“%s” is in use again.",
	"item.not_undone":     "“%s” was restored or retired again meanwhile, so there was nothing to undo.",
	"items.list_imported": "The list was imported: %s added, %s updated.",
	"items.imported":      "Your %s were refreshed from %s: %s added, %s renamed, %s unchanged.",
	"items.none_listed":   "%s lists no %s; nothing was changed.",
	"items.unanswered":    "%s did not list your %s: %s. Nothing was changed.",
	"items.not_valid":     "%s lists %s that cannot be stored: %s Nothing was changed.",
	"item.not_valid":      "“%s”. %s",
	"items.no_platform": "No booking platform is connected: switch one on in Settings › Platforms, " +
		"and enter the credentials of its API there.",

	"draft.discarded":         "The draft was discarded.",
	"draft.changes_discarded": "Your changes were discarded. The webhook is unchanged.",

	"webhook.created":        "“%s” is on and receives new events from now on. Not tried yet? Send it a test.",
	"webhook.inline_created": "“%s” is on and is asked about bookings from now on. Send it a test to see what it answers.",
	"webhook.saved":          "Your changes are saved. They apply to new events and to waiting deliveries.",
	"webhook.deleted":        "“%s” was deleted. The log of what was sent stays.",
	"webhook.cancelled":      "%s waiting deliveries were cancelled.",
	"webhook.cancelled_one":  "1 waiting delivery was cancelled.",

	"webhook.on_already":    "This webhook is on already.",
	"webhook.off_already":   "This webhook is off already.",
	"webhook.switched_on":   "The webhook is on and receives new events from now on.",
	"webhook.switched_off":  "The webhook is off. New events are skipped, and waiting deliveries stay until you switch it on again.",
	"webhook.inline_on":     "The webhook is on and is asked about bookings from now on.",
	"webhook.inline_off":    "The webhook is off. From now on bookings are confirmed without asking it.",
	"webhook.skipped":       "%s events were skipped while it was off, since %s. To send them, use “What it missed” on the overview.",
	"webhook.skipped_one":   "1 event was skipped while it was off, since %s. To send it, use “What it missed” on the overview.",
	"webhook.not_asked":     "%s bookings were not asked about while it was off.",
	"webhook.not_asked_one": "1 booking was not asked about while it was off.",
	"webhook.sent_now":      "%s waiting deliveries are sent now.",
	"webhook.sent_now_one":  "1 waiting delivery is sent now.",
	"webhook.all_sent_now":  "The waiting deliveries are sent now.",

	"secret.stored":         "Stored. Send a test to see that the receiver accepts the signature.",
	"secret.replaced":       "There is another signing secret by now. Ask whoever created it to store it, or create a new one.",
	"secret.rotated_before": "The secret was replaced after you opened the page, so no other one was created. Replace it again only if you need to.",
	"secret.rotated":        "There is a new secret. Deliveries are signed with the old one too for the next 24 hours.",

	"test.type": "The test was not sent: this webhook does not receive that event. Choose one of its events.",

	"result.answered":   "%s answered %s after %s.",
	"result.refused":    "%s answered %s after %s.",
	"result.no_answer":  "%s did not answer: %s, after %s.",
	"result.unanswered": "%s did not answer completely: %s, after %s.",
	"result.next":       "Next attempt at %s.",
	"result.gave_up":    "Bookhook makes no further attempt by itself. Once the cause is mended, press Replay.",
	"result.none":       "No answer yet; this page shows it when it is there.",

	"webhook.none_waiting": "Nothing is waiting for this webhook, or its next attempt is being made right now.",

	"replay.started":   "The replay has started. This page follows it; you can leave it.",
	"replay.cancelled": "The replay is cancelled. What was sent stays sent.",
	"replay.ended":     "The replay had ended already.",

	"view.saved":   "“%s” was saved. It is above the filter whenever you sign in.",
	"view.deleted": "The saved view “%s” was deleted. Nothing else was changed.",

	"delivery.in_flight":         "It is being sent right now. Wait for the answer before you send it again.",
	"delivery.webhook_off":       "It was not sent: the webhook is off. Switch it on, then replay the delivery.",
	"delivery.older":             "Not sent yet: %s already has a later event of this booking. Confirm to send it anyway.",
	"delivery.out_of_order":      "Not sent yet: it waits for an earlier event of its booking. Confirm to send it out of order.",
	"delivery.when_released":     "It is sent as soon as the earlier events of its booking are delivered, failed or stopped.",
	"delivery.finished_before":   "Nothing was stopped: it had finished before.",
	"delivery.stopped":           "Bookhook makes no further attempt. You can replay it later.",
	"delivery.stopped_in_flight": "Bookhook makes no further attempt. The one that is in flight may still arrive. You can replay it later.",
}
