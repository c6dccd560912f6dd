package prio

import (
	"net/http"
	"regexp"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
)

// Newest is the newest of the [Versions].
const Newest = "3.8"

// Versions are the versions of Prioticket's Distributor API that are served, the
// oldest first. They differ in the version that a response names and in the type of
// webhook_payload.
var Versions = []string{"3.5", "3.6", "3.7", Newest}

// TokenPath is where clients get their access tokens, below [Path].
const TokenPath = "/oauth2/token" //nolint:gosec // an address, no credential

// Path returns the beginning of the addresses of a version, as Prioticket has it.
func Path(version string) string { return "/v" + version + "/distributor" }

var anyVersion = regexp.MustCompile(`(?i)^/v[0-9][^/]*/distributor(/|$)`)

// Owns reports whether an address is one of this API, in any version.
func Owns(path string) bool { return anyVersion.MatchString(path) }

// OtherVersions refuses the versions that are not served.
func (pr *Prio) OtherVersions(c *fiber.Ctx) error {
	if !Owns(c.Path()) {
		return c.Next()
	}
	return &web.Problem{
		Type: "not-found", Title: "This version of the API is not supported", Status: http.StatusNotFound,
		Detail: "Supported are the versions " + strings.Join(Versions, ", ") + "; the newest is at " + Path(Newest) + ".",
	}
}

// versionOf returns the version that the address of a request names, such as
// "3.8".
func versionOf(c *fiber.Ctx) string {
	version, _, _ := strings.Cut(strings.TrimPrefix(c.Path(), "/v"), "/")
	return version
}

// payloadOf shows webhook_payload in the form that the version's model has: a
// string in 3.5, where generated clients know no other, and a boolean in later ones.
func payloadOf(version string, payload bool) any {
	switch {
	case version != "3.5":
		return payload
	case payload:
		return "true"
	}
	return "false"
}
