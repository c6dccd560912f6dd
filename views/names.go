package views

// Names says what people call the keys and ids of an account. What is missing
// is shown as its key or id.
type Names struct {
	Events    map[string]string // by key as webhook.EventKey writes it
	Platforms map[string]string
	Channels  map[string]string
	Tours     map[string]string
}

func nameOf(names map[string]string, id string) string {
	if name := names[id]; name != "" {
		return name
	}
	return id
}
