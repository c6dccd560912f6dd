package handlers_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bookhook/mail/smtptest"
)

// oncePerPage is what every page has once.
var oncePerPage = []*regexp.Regexp{
	regexp.MustCompile(`<meta name="description" content="[^"]{20,}"`),
	regexp.MustCompile(`<meta name="robots" content="noindex, nofollow"`),
	regexp.MustCompile(`<title>[^<]+ – Bookhook</title>`),
}

// TestEveryAnswerIsCompressed asks for every address of Bookhook: what is a page or a
// list and has a kilobyte comes compressed, and pages say what they are. What has no end
// known (exports, the stream of changes) is sent as it is made.
func TestEveryAnswerIsCompressed(t *testing.T) {
	t.Parallel()
	s, _ := newMailSite(t, smtptest.Options{})
	things := s.things()
	who := map[guard]*browser{
		anybody: s.anonymous(), signedIn: s.signIn(anna), admins: s.signIn(admin), members: s.signIn(staff), operators: s.signIn(anna), configurers: s.signIn(anna),
		program: s.anonymous(), portal: s.anonymous(),
	}
	token := map[guard]string{program: s.token(s.account.ID), portal: s.access(s.account.ID)}
	pages, lists := 0, 0
	for _, path := range slices.Concat(slices.Sorted(maps.Keys(routes)), []string{
		"GET /drafts/{drf}/name", "GET /drafts/{drf}/events", "GET /drafts/{drf}/channels", "GET /drafts/{drf}/tours", "GET /drafts/{drf}/review", "GET /nothing",
	}) {
		method, address, _ := strings.Cut(path, " ")
		if method != http.MethodGet || address == "/live" || strings.HasSuffix(address, ".csv") {
			continue
		}
		r, known := routes[path]
		if !known {
			r = routes["GET /drafts/{drf}/type"]
		}
		b := who[r.guard]
		request := b.request(method, things.Replace(address), "")
		request.Header.Set("Accept-Encoding", "gzip") // by hand, so that the client decodes nothing
		if token[r.guard] != "" {
			request.Header.Set("Authorization", "Bearer "+token[r.guard])
		}
		response, err := b.client.Do(request)
		s.check(err)
		sent, err := io.ReadAll(response.Body)
		s.check(err)
		s.check(response.Body.Close())
		text := sent
		if response.Header.Get("Content-Encoding") == "gzip" {
			zipped, err := gzip.NewReader(bytes.NewReader(sent))
			s.check(err)
			text, err = io.ReadAll(zipped)
			s.check(err)
		}
		if compressed := len(text) > len(sent); compressed != (len(text) >= 1024) {
			t.Errorf("%s: got %d bytes as %d", path, len(text), len(sent))
		}
		if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") && len(text) > 0 {
			pages++
			for _, once := range oncePerPage {
				if got := len(once.FindAll(text, -1)); got != 1 {
					t.Errorf("%s: got %d of %s, want 1", path, got, once)
				}
			}
		} else if len(text) >= 1024 {
			lists++
		}
	}
	if pages < 40 || lists < 5 {
		t.Errorf("got %d pages, %d lists and files of a kilobyte", pages, lists)
	}
}
