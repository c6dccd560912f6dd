package web

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// minCompressed is the size in bytes from which a body is compressed. A smaller one
// fits into one packet anyway.
const minCompressed = 1 << 10

// Compress compresses the body of the response if it has at least a kilobyte and the
// client prefers gzip. What sends pages and lists calls it at its end; it is no
// middleware, so events come in without it, streams are never read into memory, and
// the pages that [Failed] leads to are compressed like others.
//
// Beside a secret in the page (a new token, the address of a platform), the size of a
// compressed body could reveal it, to a site that makes the browser request the page
// again and again with guesses in its address, and sees the network (BREACH). Browsers
// say which requests another site caused; their responses are sent as they are.
// Secrets in JSON are safe: no site can make a browser send the token.
func Compress(c *fiber.Ctx) {
	body := c.Response().Body()
	if len(body) < minCompressed {
		return
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if !prefersGzip(c) || causedByOtherSite(c) {
		return
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	c.Response().SetBodyRaw(fasthttp.AppendGzipBytesLevel(nil, body, fasthttp.CompressBestSpeed))
}

// causedByOtherSite reports whether a browser says that a page of another site made
// it send the request.
func causedByOtherSite(c *fiber.Ctx) bool {
	switch c.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		return true
	}
	return false
}

// prefersGzip reports whether the client wants gzip at least as much as a body that
// is not compressed (RFC 9110, section 12.5.3).
func prefersGzip(c *fiber.Ctx) bool {
	weights := map[string]float64{}
	for _, header := range c.Request().Header.PeekAll(fiber.HeaderAcceptEncoding) {
		for part := range strings.SplitSeq(strings.ToLower(string(header)), ",") {
			coding, parameter, _ := strings.Cut(part, ";")
			weights[strings.TrimSpace(coding)] = weightOf(parameter)
		}
	}
	gzip, named := weights["gzip"]
	if !named {
		gzip = weights["*"]
	}
	return gzip > 0 && gzip >= weights["identity"]
}

// weightOf reads the parameter "q=…" of a coding. One without it has the weight 1,
// and one that cannot be read is not wanted.
func weightOf(parameter string) float64 {
	name, value, _ := strings.Cut(parameter, "=")
	if strings.TrimSpace(name) == "" {
		return 1
	}
	weight, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || strings.TrimSpace(name) != "q" {
		return 0
	}
	return weight
}
