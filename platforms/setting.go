package platforms

import "bookhook/webhook"

// Setting is one thing that Bookhook needs to know about an account on a platform.
type Setting struct {
	Key     string
	Label   string
	Hint    string                                       // what it is for, and where to find it
	Secret  bool                                         // never shown again
	Target  bool                                         // the URL to which requests with the secrets are sent; these are given again for another scheme, host or port
	Default string                                       // the value that is used while it is empty, to be shown
	Check   func(value string) (problem webhook.Message) // nil: anything up to webhook.MaxSetting characters
}
