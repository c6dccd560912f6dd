package handlers_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"bookhook/webhook"
)

// parts is a form in parts, with its content type.
func (s *site) parts(fields map[string]string, file string) (body, kind string) {
	s.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name, value := range fields {
		s.check(w.WriteField(name, value))
	}
	if file != "" {
		part, err := w.CreateFormFile("file", "list.csv")
		s.check(err)
		_, err = io.WriteString(part, file)
		s.check(err)
	}
	s.check(w.Close())
	return b.String(), w.FormDataContentType()
}

// A packed body is refused before anybody looks into it; who is not signed in is not told.
func TestPackedBodiesAreRefused(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	body, kind := s.parts(map[string]string{"email": anna, "password": password}, "")
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, err := io.WriteString(w, body)
	s.check(err)
	s.check(w.Close())
	for _, c := range []struct {
		path     string
		encoding []string
		want     int
	}{
		{"/login", []string{"gzip"}, 415},
		{"/login", []string{"identity", "gzip"}, 415},
		{"/login", []string{"br"}, 415},
		{"/login", []string{"Identity"}, 422},
		{"/tours/import", []string{"gzip"}, 303}, // to the sign-in
		{"/api/v1/events", []string{"deflate"}, 401},
	} {
		b := s.anonymous()
		request := b.request(http.MethodPost, c.path, packed.String())
		request.Header.Set("Content-Type", kind)
		request.Header["Content-Encoding"] = c.encoding
		p := b.do(request)
		if p.status != c.want {
			t.Errorf("%s with %v: got %d, want %d", c.path, c.encoding, p.status, c.want)
		}
		if c.want == http.StatusUnsupportedMediaType {
			p.has("without a Content-Encoding")
		}
	}
	b := s.signIn(anna)
	request := b.request(http.MethodPost, "/tours/import", packed.String())
	request.Header.Set("Content-Type", kind)
	request.Header.Set("Content-Encoding", "gzip")
	b.do(request).is(http.StatusUnsupportedMediaType).has("without a Content-Encoding")
}

// A form is what was posted: not the address, and not parts, but for a list.
func TestFormsAreReadFromTheBody(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	b.post("/tours?id=1&name=Linked", url.Values{"id": {"12"}, "name": {"Typed"}}).is(http.StatusSeeOther)
	b.post("/tours?id=1&name=Linked", nil).is(http.StatusUnprocessableEntity)
	body, kind := s.parts(map[string]string{"id": "13", "name": "In parts"}, "")
	request := b.request(http.MethodPost, "/tours", body)
	request.Header.Set("Content-Type", kind)
	b.do(request).is(http.StatusUnprocessableEntity)
	s.tours("12 Typed")
}

func TestImportTakesAFileOrATextInParts(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.signIn(anna)
	for _, c := range []struct{ text, file string }{{"1,Pasted", ""}, {"", "2,Uploaded"}} {
		body, kind := s.parts(map[string]string{"text": c.text}, c.file)
		request := b.request(http.MethodPost, "/tours/import", body)
		request.Header.Set("Content-Type", kind)
		b.do(request).is(http.StatusSeeOther)
	}
	request := b.request(http.MethodPost, "/tours/import", "no parts")
	request.Header.Set("Content-Type", "multipart/form-data; boundary=x")
	b.do(request).is(http.StatusBadRequest)
	s.tours("1 Pasted", "2 Uploaded")
}

func (s *site) tours(want ...string) {
	s.Helper()
	items, err := s.store.AllItems(s.Context(), s.account.ID, webhook.Tours)
	s.check(err)
	var got []string
	for _, i := range items {
		got = append(got, i.ID+" "+i.Name)
	}
	if strings.Join(got, ", ") != strings.Join(want, ", ") {
		s.Errorf("tours: got %q, want %q", got, want)
	}
}

// Nobody chooses the id under which the log has their request.
func TestRequestIDIsOurs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	request := b.request(http.MethodGet, "/healthz", "")
	request.Header.Set("X-Request-ID", "theirs")
	response, err := b.client.Do(request)
	s.check(err)
	response.Body.Close()
	if got := response.Header.Get("X-Request-ID"); len(got) < 20 || got == "theirs" {
		t.Errorf("got the request id %q, want one of ours", got)
	}
}

func TestOtherMethods(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token(s.account.ID)
	for request, want := range map[string]struct {
		status int
		allow  string
	}{
		"PUT /deliveries":              {405, "GET, HEAD"},
		"DELETE /settings/people":      {405, "GET, HEAD, POST"},
		"PUT /nowhere":                 {404, ""},
		"DELETE /api/v1/events":        {405, "GET, HEAD, POST"},
		"PUT /api/v1/webhooks/whk_1":   {405, "GET, HEAD, DELETE, PATCH"},
		"GET /api/v1/events/1/nothing": {404, ""},
		"POST /api/openapi.json":       {405, "GET, HEAD"},
	} {
		method, path, _ := strings.Cut(request, " ")
		r := s.anonymous().request(method, path, "")
		r.Header.Set("Authorization", "Bearer "+token)
		response, err := s.anonymous().client.Do(r)
		s.check(err)
		response.Body.Close()
		if got := response.Header.Get("Allow"); response.StatusCode != want.status || got != want.allow {
			t.Errorf("%s: got %d, allowing %q; want %d, %q", request, response.StatusCode, got, want.status, want.allow)
		}
	}
}

// A browser may have more cookies for the host than a small header holds.
func TestLongHeaders(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	request := b.request(http.MethodGet, "/login", "")
	request.Header.Set("Cookie", "other="+strings.Repeat("x", 12<<10))
	b.do(request).is(http.StatusOK)
}

func TestTheme(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	b := s.anonymous()
	for theme, want := range map[string]int{"light": 303, "dark": 303, "system": 303, "": 422, "dark; Domain=evil.example": 422} {
		if got := b.post("/settings/theme", url.Values{"theme": {theme}}); got.status != want {
			t.Errorf("%q: got %d, want %d", theme, got.status, want)
		}
	}
}

// However long an e-mail address somebody types, nothing of it is kept.
func TestLongEmail(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.anonymous().post("/login", url.Values{"email": {strings.Repeat("x", 1<<15)}, "password": {password}})
	p.is(http.StatusUnprocessableEntity).has("Wrong e-mail address or password.")
	if len(p.text) > 1<<16 {
		t.Errorf("got %d bytes back", len(p.text))
	}
}

// TestResponsesAreApart: however many are answered at once, each gets its own answer.
func TestResponsesAreApart(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	token := s.token(s.account.ID)
	var asking sync.WaitGroup
	for i := range 16 {
		asking.Go(func() {
			for j := range 50 {
				name := fmt.Sprintf("field-%d-%d", i, j)
				request := s.anonymous().request(http.MethodPost, "/api/v1/events", `{"`+name+`":1}`)
				request.Header.Set("Authorization", "Bearer "+token)
				request.Header.Set("Content-Type", "application/json")
				response, err := http.DefaultClient.Do(request)
				if err != nil {
					t.Error(err)
					return
				}
				text, err := io.ReadAll(response.Body)
				response.Body.Close()
				if err != nil || !json.Valid(text) || !strings.Contains(string(text), name) || strings.Count(string(text), "field-") != 2 {
					t.Errorf("asked about %s, got %s, %v", name, text, err)
				}
			}
		})
	}
	asking.Wait()
}
