package platforms

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// Request is a delivery as it will be written on the wire, before signing.
type Request struct {
	Method  string
	URL     string
	Header  http.Header // without the headers that every delivery carries
	Body    []byte      // nil for a GET
	Signed  []byte      // what the signature covers: the body, or the query of a GET
	Only200 bool        // success is 200 exactly, not any 2xx
}

// JSONRequest returns a POST of JSON.
func JSONRequest(url string, body []byte) Request {
	return Request{
		Method: http.MethodPost, URL: url, Body: body, Signed: body,
		Header: http.Header{"Content-Type": {"application/json"}},
	}
}

// EncodeJSON encodes a value with <, > and & unescaped: it is for receivers, not for
// pages. It panics if the value cannot be encoded.
func EncodeJSON(value any) []byte {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(text.Bytes(), []byte("\n"))
}

// Succeeded reports whether a response with this status means that the receiver
// has accepted the event.
func (r Request) Succeeded(status int) bool {
	if r.Only200 {
		return status == http.StatusOK
	}
	return status >= 200 && status <= 299
}
