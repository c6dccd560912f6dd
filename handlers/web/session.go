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

// maxFlash is how many messages wait for the next page: forms can be sent without ever
// showing one.
const maxFlash = 8

// Session is the session of a request. Changes take effect when it is saved.
type Session struct {
	session *sessions.Session
	request *http.Request // for gorilla
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

// User returns who is signed in; zero if nobody is.
func (s *Session) User() webhook.UserID {
	id, _ := s.session.Values[userKey].(webhook.UserID)
	return id
}

// SignIn makes it the session of a user, under a new id, so that the id from before
// the sign-in cannot be used. Saving it returns webhook.ErrNotFound if the user was
// removed or has another password by then.
func (s *Session) SignIn(user webhook.User) {
	s.session.Values[oldKey], s.session.ID = s.session.ID, ""
	s.session.Values[userKey], s.session.Values[passwordKey] = user.ID, user.PasswordHash
}

// End ends the session, and reports whether there was one.
func (s *Session) End() bool {
	s.session.Options.MaxAge = -1
	return !s.session.IsNew
}

// IsEnding reports whether less than half of its lifetime is left; saving renews it.
func (s *Session) IsEnding() bool {
	end, ok := s.session.Values[endKey].(time.Time)
	return ok && time.Until(end) < sessionRenew
}

// Hash returns the hash under which its row is stored.
func (s *Session) Hash() []byte { return auth.HashSecret(s.session.ID) }

// Text returns the text under a key; "" for none.
func (s *Session) Text(key string) string {
	text, _ := s.session.Values[key].(string)
	return text
}

// SetText stores a text under a key; "" removes it.
func (s *Session) SetText(key, text string) {
	if text == "" {
		delete(s.session.Values, key)
		return
	}
	s.session.Values[key] = text
}

// AddFlash adds messages for the next page, which shows the newest maxFlash.
func (s *Session) AddFlash(more ...webhook.Message) {
	all := append(s.flash(), more...)
	s.session.Values[flashKey] = all[max(len(all)-maxFlash, 0):]
}

// TakeFlash removes and returns the messages for the next page.
func (s *Session) TakeFlash() []webhook.Message {
	flash := s.flash()
	delete(s.session.Values, flashKey)
	return flash
}

// flash returns the messages for the next page; those that were read from the
// database are what encoding/json makes of them.
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

// headerOnly is a ResponseWriter that only has a header.
type headerOnly struct{ header http.Header }

// Header returns the header.
func (w headerOnly) Header() http.Header { return w.header }

// Write drops the body.
func (w headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing.
func (w headerOnly) WriteHeader(int) {}
