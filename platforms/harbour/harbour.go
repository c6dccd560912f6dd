// Package harbour is a made-up booking platform. It shows what a platform's
// folder has in it and is the proof that nothing else is needed: tests put it
// beside the real ones, and no Bookhook speaks it. The guide to a new platform
// (README.md in the folder above) goes through it file by file.
//
// Harbour sends each notification by POST, as JSON:
//
//	{"id":"n-1","event":"berth.booked","at":"2026-11-21T09:00:00Z",
//	 "booking":{"ref":"B-17","state":"confirmed","seller":{"id":"3930","name":"Website"},
//	  "boats":[{"id":"12","name":"Seal","departs":"2026-12-01T10:00","seats":2}],
//	  "guest":{"name":"Ann Lee","email":"ann@example.com"},"price":49.50,"currency":"EUR"}}
//
// with "Authorization: Harbour KEY" when it was given a key. The same id is the
// same notification. Here a real platform says which page of its vendor each
// fact is from, and what is our reading.
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

// known tells the keys of the catalogue.
var known = platforms.CatalogueKeys(catalogue)

// Platform is Harbour.
func Platform() platforms.Platform {
	return platforms.Platform{
		Key: "harbour", Name: "Harbour", About: "Enter this address in Harbour under Piers, Notifications.",
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
