package e2e

import "testing"

// TestPreview: while filters are chosen, the wizard says what they would have let through of the newest events. With
// a script it follows each choice, without by a button.
func TestPreview(t *testing.T) {
	t.Parallel()
	o := newShop(t)
	o.items("channels", "3930 Website", "3931 Viator")
	for booking, channel := range map[string]string{"1001": "3930", "1002": "3931", "1003": "3931"} {
		o.event(map[string]any{"type": "cancelled", "booking_id": booking, "channel_id": channel})
	}
	in := receiver(t)
	for _, options := range []pageOptions{{}, {NoScript: true, Phone: true, Dark: true}} {
		p := o.as(t, operator, options)
		p.beginWebhook(o.URL, "Accounting", in.URL)
		p.sees("Of the last 3 events, this webhook would have received 3.")
		p.goesOn("channels")
		p.choose("Only selected channels")
		p.choose("Website")
		if options.NoScript {
			p.press("Update this preview")
		}
		p.sees("Of the last 3 events, this webhook would have received 1.")
		p.opens("Examples")
		p.sees("1001")
		p.sees("The channel of the booking is not selected in the webhook.")
		if !options.NoScript {
			axe(t, p)
		}
		p.reload() // what was chosen is saved
		p.chosen("Only selected channels", "Website")
		p.goesOn("tours")
		p.goesOn("review")
		p.sees("Of the last 3 events, this webhook would have received 1.")
		p.press("Create webhook")
		p.isAt("/webhooks/whk_")
		p.opensTab("Settings")
		p.sees("Of the last 3 events, this webhook would have received 1.")
	}
}
