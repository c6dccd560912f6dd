package platforms

import "bookhook/webhook"

// Setting is one thing that Bookhook needs to know about an account on a platform.
type Setting struct {
	Key     string
	Label   string
	Hint    string                                       // what it is for, and where to find it
	Secret  bool                                         // never shown again
	Default string                                       // the value that is used while it is empty, to be shown
	Check   func(value string) (problem webhook.Message) // nil: anything up to webhook.MaxSetting characters
}
