package handlers_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// vendorModels are the models of Prioticket's own description.
var vendorModels = sync.OnceValues(func() (*openapi3.T, error) {
	return openapi3.NewLoader().LoadFromFile("../platforms/prioticket/testdata/models.json")
})

var prioPath = regexp.MustCompile(`^/v([0-9][^/]*)/distributor(/[^?]*)?$`)

// vendorModel names the model of an answer in vendorModels; "" is for one without a
// body.
func vendorModel(r *http.Request, status int) string {
	address := prioPath.FindStringSubmatch(r.URL.Path)
	version, path := address[1], strings.TrimSuffix(address[2], "/")
	switch {
	case status == http.StatusNoContent:
		return ""
	case status >= 400 && path == grantPath:
		return "TokenError"
	case status >= 400:
		return "ErrorModel"
	case path == grantPath:
		return "Token"
	case r.Method == http.MethodPost:
		return "CreateWebhookResponse-" + version
	}
	return "WebhookListResponse-" + version
}

// holdToVendor holds every answer below Prioticket's addresses against the vendor's
// models, whatever was sent; [apiSite.live] calls it. A strict client takes no
// other one.
func holdToVendor(t testing.TB, r *http.Request, response *http.Response, text []byte) {
	t.Helper()
	if !prioPath.MatchString(r.URL.Path) || unread(response) {
		return
	}
	model := vendorModel(r, response.StatusCode)
	wrong := func(what any) {
		t.Helper()
		t.Errorf("%s %s: got %d %s %v: as a %s, %v", r.Method, r.URL, response.StatusCode, text, response.Header, model, what)
	}
	if model == "" {
		if len(text) > 0 {
			wrong("want no body")
		}
		return
	}
	if response.Header.Get("Content-Type") != "application/json" {
		wrong("want application/json")
	}
	if (response.StatusCode == http.StatusUnauthorized) != (response.Header.Get("WWW-Authenticate") != "") && response.StatusCode != http.StatusForbidden {
		wrong("want a challenge with 401, and only there")
	}
	if strings.HasPrefix(model, "Token") && (response.Header.Get("Cache-Control") != "no-store" || response.Header.Get("Pragma") != "no-cache") {
		wrong("want it not to be cached")
	}
	if err := asModel(t, model, text); err != nil {
		wrong(err)
	}
}

// unread reports whether the header of a request could not be read; then nobody knows
// whose client sent it.
func unread(response *http.Response) bool {
	statuses := []int{http.StatusBadRequest, http.StatusRequestTimeout, http.StatusRequestHeaderFieldsTooLarge}
	return slices.Contains(statuses, response.StatusCode) && response.Header.Get("X-Request-Id") == ""
}

// asModel holds JSON against one of the vendor's models.
func asModel(t testing.TB, model string, text []byte) error {
	t.Helper()
	doc, err := vendorModels()
	if err != nil {
		t.Fatal(err)
	}
	schema := doc.Components.Schemas[model]
	if schema == nil {
		t.Fatalf("there is no model %s", model)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return err
	}
	return schema.Value.VisitJSON(value, openapi3.MultiErrors())
}

// The models refuse what a strict client would.
func TestPrioModelsAreStrict(t *testing.T) {
	t.Parallel()
	const good = `{"api_version":"3.5.0","data":{"kind":"webhook","webhook":{"webhook_id":"01234567-89ab-8def-8123-456789abcdef","webhook_status":"ENABLED",` +
		`"webhook_events":["ORDER_CREATE"],"webhook_payload":"true","webhook_created":"2026-11-21T09:00:00.000+00:00",` +
		`"webhook_created_name":"portal","webhook_created_email":"ops@example.com"}}}`
	if err := asModel(t, "CreateWebhookResponse-3.5", []byte(good)); err != nil {
		t.Fatal(err)
	}
	for was, is := range map[string]string{
		`"3.5.0"`: `"3.8.0"`, `"webhook","webhook"`: `"hook","webhook"`, `"ENABLED"`: `"ON"`, `"ORDER_CREATE"`: `"PAYMENT_UPDATE"`, `["ORDER_CREATE"]`: `null`,
		`"true"`: `true`, `.000+00:00`: `+00:00`, `+00:00`: `Z`, `"portal"`: `""`, `"ops@example.com"`: `"ops"`, `"webhook_created_name":"portal",`: ``,
	} {
		if err := asModel(t, "CreateWebhookResponse-3.5", []byte(strings.Replace(good, was, is, 1))); err == nil {
			t.Errorf("%s for %s: got no error", is, was)
		}
	}
	for text, fits := range map[string]bool{
		`{"error":"invalid_client","error_reference":"x","error_message":"y","error_description":"it's so"}`:      true,
		`{"error":"INVALID_CLIENT","error_reference":"x","error_message":"y"}`:                                    false,
		`{"error":"invalid_client","error_reference":"x","error_message":"y","error_description":"a \"b\""}`:      false,
		`{"error":"invalid_client","error_message":"y"}`:                                                          false,
		`{"error":"invalid_client","error_reference":"x","error_message":"y","error_description":"M\u00fcnster"}`: false,
	} {
		if err := asModel(t, "TokenError", []byte(text)); (err == nil) != fits {
			t.Errorf("%s: got %v, want it taken: %v", text, err, fits)
		}
	}
}
