package web

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/sessions"

	"bookhook/auth"
	"bookhook/webhook"
)

const sessionKey = "session"

// Session is the session of a request. What is changed in it holds once it is
// saved.
type Session struct {
	session *sessions.Session
	request *http.Request // as gorilla wants it
}

// Open returns the session of a request, the same one each time.
func (s *Sessions) Open(c *fiber.Ctx) (*Session, error) {
	if opened, ok := c.Locals(sessionKey).(*Session); ok {
		return opened, nil
	}
	r := httpRequest(c)
	session, err := s.Get(r, sessionCookie)
	if err != nil {
		return nil, err
	}
	opened := &Session{session, r}
	c.Locals(sessionKey, opened)
	return opened, nil
}

// User is who is signed in; zero when nobody is.
func (s *Session) User() webhook.UserID {
	id, _ := s.session.Values[userKey].(webhook.UserID)
	return id
}

// SignIn makes it the session of a user, under a new id, so that the id from
// before the sign-in is worth nothing.
func (s *Session) SignIn(user webhook.UserID) {
	s.session.Values[oldKey], s.session.ID = s.session.ID, ""
	s.session.Values[userKey] = user
}

// End ends it, and reports whether there was one.
func (s *Session) End() bool {
	s.session.Options.MaxAge = -1
	return !s.session.IsNew
}

// IsEnding reports whether less than half of its time is left; saving extends it.
func (s *Session) IsEnding() bool {
	end, ok := s.session.Values[endKey].(time.Time)
	return ok && time.Until(end) < sessionRenew
}

// Hash is what its row is stored under.
func (s *Session) Hash() []byte { return auth.HashSecret(s.session.ID) }

// Text is a text that was kept under a key; "" for none.
func (s *Session) Text(key string) string {
	text, _ := s.session.Values[key].(string)
	return text
}

// SetText keeps a text under a key; "" removes it.
func (s *Session) SetText(key, text string) {
	if text == "" {
		delete(s.session.Values, key)
		return
	}
	s.session.Values[key] = text
}

// AddFlash keeps messages for the next page.
func (s *Session) AddFlash(more ...webhook.Message) {
	s.session.Values[flashKey] = append(s.flash(), more...)
}

// TakeFlash takes the messages for the next page.
func (s *Session) TakeFlash() []webhook.Message {
	flash := s.flash()
	delete(s.session.Values, flashKey)
	return flash
}

// flash is what is kept for the next page; what was read from a row is what
// encoding/json makes of messages.
func (s *Session) flash() []webhook.Message {
	var flash []webhook.Message
	text, err := json.Marshal(s.session.Values[flashKey])
	if err != nil || json.Unmarshal(text, &flash) != nil {
		return nil
	}
	return flash
}

// Save stores the session and hands its cookie to Fiber.
func (s *Session) Save(c *fiber.Ctx) error {
	w := headerOnly{http.Header{}}
	if err := s.session.Save(s.request, w); err != nil {
		return err
	}
	c.Response().Header.DelCookie(sessionCookie)
	for _, cookie := range w.header.Values("Set-Cookie") {
		c.Response().Header.Add(fiber.HeaderSetCookie, cookie)
	}
	return nil
}

// headerOnly is a ResponseWriter that has a header and nothing else.
type headerOnly struct{ header http.Header }

// Header is all that there is.
func (w headerOnly) Header() http.Header { return w.header }

// Write drops the body.
func (w headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing.
func (w headerOnly) WriteHeader(int) {}
