package webhook

import "net/http"

// EventType is one event of a platform's catalogue.
type EventType struct {
	Key         string `json:"key"`
	Group       string `json:"group"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Primary     bool   `json:"primary,omitempty"` // the platform tells integrators to handle it; preselected
}

// Request is a delivery as it will be written on the wire, before signing.
type Request struct {
	Method  string
	URL     string
	Header  http.Header // without the headers that every delivery carries
	Body    []byte      // nil for a GET
	Signed  []byte      // what the signature covers: the body, or the query of a GET
	Only200 bool        // success is 200 exactly, not any 2xx
}

// StandardRequest writes the event in the standard format.
func StandardRequest(a Account, e Event, url string) Request {
	body := e.StandardBody(a.Number)
	return Request{
		Method: http.MethodPost, URL: url, Body: body, Signed: body,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// Succeeded says whether an answer with this status means that the receiver
// has the event.
func (r Request) Succeeded(status int) bool {
	if r.Only200 {
		return status == http.StatusOK
	}
	return status >= 200 && status <= 299
}
