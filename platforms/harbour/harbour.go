// Package harbour is a made-up booking platform. It shows what a platform's folder
// contains, and that nothing else is needed: tests add it to the real ones, but no
// Bookhook supports it. The guide to a new platform (README.md in the folder above)
// explains it file by file.
//
// Harbour sends each notification by POST, as JSON:
//
//	{"id":"n-1","event":"berth.booked","at":"2026-11-21T09:00:00Z",
//	 "booking":{"ref":"B-17","state":"confirmed","seller":{"id":"3930","name":"Website"},
//	  "boats":[{"id":"12","name":"Seal","departs":"2026-12-01T10:00","seats":2}],
//	  "guest":{"name":"Ann Lee","email":"ann@example.com"},"price":49.50,"currency":"EUR"}}
//
// with "Authorization: Harbour KEY" if it was given a key. The same id is the same
// notification. A real platform's comment says here from which page of the vendor
// each fact is, and what is our reading.
package harbour

import (
	_ "embed"
	"net/http"

	"bookhook/platforms"
)

//go:embed catalogue.json
var catalogue []byte

// Events returns the catalogue.
func Events() []platforms.EventType { return platforms.ReadCatalogue(catalogue) }

// known reports whether the catalogue has a key.
var known = platforms.CatalogueKeys(catalogue)

// Platform is Harbour.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: "harbour", Name: "Harbour", Connect: []string{"Enter this address in Harbour under Piers, Notifications."},
		Events: Events(), Methods: []string{http.MethodPost}, Settings: settings(), Texts: texts,
		Read: Read, Native: Native, Booking: Booking, Sample: Sample,
	}
}

// keyKey is the setting with the key that Harbour sends.
const keyKey = "key"

// settings are what Bookhook needs to know.
func settings() []platforms.Setting {
	return []platforms.Setting{{
		Key: keyKey, Label: "Key", Secret: true,
		Hint: "The key that Harbour shows under Notifications. Without it, whoever knows the address can send to it.",
	}}
}
