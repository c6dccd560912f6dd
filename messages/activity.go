package messages

// activity has the entries of the activity log, without who and when. Their codes
// are "activity." and the action.
var activity = Texts{
	"activity.account.created": "Created the account “%s”.",
	"activity.account.changed": "Changed the settings of the account “%s”.",
	"activity.account.limit":   "Set the limit to %s webhooks.",

	"activity.account.notices": "Changed when a failing webhook is reported.",

	"activity.checklist.hidden": "Hid the checklist of the first steps.",
	"activity.checklist.shown":  "Showed the checklist of the first steps again.",
	"activity.rejected.deleted": "Deleted the rejected requests: %s.",

	"activity.user.added":    "Added %s as %s.",
	"activity.user.removed":  "Removed %s.",
	"activity.user.role":     "Changed the role of %s to %s.",
	"activity.user.password": "Set a new password for %s.",
	"activity.user.reset":    "%s chose a new password by a link in an e-mail.",

	"activity.invitation.sent":      "Invited %s as %s.",
	"activity.invitation.again":     "Sent the invitation of %s again.",
	"activity.invitation.withdrawn": "Withdrew the invitation of %s.",

	"activity.token.created":  "Created the API token “%s”.",
	"activity.token.revoked":  "Revoked the API token “%s”.",
	"activity.client.created": "Created the client “%s”.",
	"activity.client.revoked": "Revoked the client “%s”.",

	"activity.platform.on":       "Switched on the platform %s.",
	"activity.platform.off":      "Switched off the platform %s.",
	"activity.platform.address":  "Created a new address for the platform %s.",
	"activity.platform.settings": "Changed the settings of the platform %s.",

	"activity.channels.added":    "Added the channel “%s” (%s).",
	"activity.channels.renamed":  "Renamed a channel to “%s” (%s).",
	"activity.channels.retired":  "Retired the channel “%s” (%s).",
	"activity.channels.restored": "Restored the channel “%s” (%s).",
	"activity.channels.saved":    "Saved a list of channels: %s added, %s changed.",
	"activity.channels.imported": "Imported channels: %s added, %s renamed, %s unchanged.",
	"activity.tours.added":       "Added the tour “%s” (%s).",
	"activity.tours.renamed":     "Renamed a tour to “%s” (%s).",
	"activity.tours.retired":     "Retired the tour “%s” (%s).",
	"activity.tours.restored":    "Restored the tour “%s” (%s).",
	"activity.tours.saved":       "Saved a list of tours: %s added, %s changed.",
	"activity.tours.imported":    "Imported tours: %s added, %s renamed, %s unchanged.",

	"activity.webhook.created":       "Created the webhook “%s”.",
	"activity.webhook.changed":       "Changed the webhook “%s”.",
	"activity.webhook.on":            "Switched on the webhook “%s”.",
	"activity.webhook.off":           "Switched off the webhook “%s”.",
	"activity.webhook.off_gone":      "Switched off the webhook “%s”: its receiver answered 410 Gone.",
	"activity.webhook.off_failing":   "Switched off the webhook “%s” after five days of nothing but failures.",
	"activity.webhook.secret":        "Created a new signing secret for the webhook “%s”.",
	"activity.webhook.secret_stored": "Stored the signing secret of the webhook “%s” in its receiver.",
	"activity.webhook.deleted":       "Deleted the webhook “%s”.",

	"activity.fallback.set":        "Asked %s to confirm that it gets the bookings of the webhook “%s” while that fails.",
	"activity.fallback.set_guests": "Asked %s to confirm that it gets the bookings of the webhook “%s” while that fails, with guests’ names and contact data.",
	"activity.fallback.guests":     "Asked %s to confirm that it gets guests’ names and contact data, too, while the webhook “%s” fails.",
	"activity.fallback.no_guests":  "Left guests’ names and contact data out of what %s gets while the webhook “%s” fails.",
	"activity.fallback.again":      "Asked %s once more to confirm that it gets the bookings of the webhook “%s” while that fails.",
	"activity.fallback.confirmed":  "Confirmed that %s gets the bookings of the webhook “%s” while that fails.",
	"activity.fallback.stopped":    "Stopped what %s gets while the webhook “%s” fails, by the link in a message.",
	"activity.fallback.removed":    "Removed %s, which got the bookings of the webhook “%s” while that failed.",

	"activity.event.sent":         "Sent an event to the webhook “%s”.",
	"activity.webhook.retried":    "Retried the oldest waiting delivery of the webhook “%s”.",
	"activity.replay.started":     "Started a replay of %s deliveries.",
	"activity.replay.cancelled":   "Cancelled a replay.",
	"activity.delivery.replayed":  "Replayed a delivery.",
	"activity.delivery.cancelled": "Cancelled a delivery.",
}
