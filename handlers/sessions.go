package handlers

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"bookhook/webhook"
)

const (
	sessionCookie = "bookhook_session"
	sessionAge    = 14 * 24 * time.Hour
	sessionRenew  = 7 * 24 * time.Hour // with less than this left a visit extends it
)

// Keys of a session's values; all but userKey are kept as JSON.
const (
	userKey   = "user"
	flashKey  = "flash"  // []string, shown on the next page
	secretKey = "secret" // ref of the webhook whose secret is shown on its next page
	oldKey    = "old"    // the id before a rotation, until it is saved
	endKey    = "end"    // when it expires
)

// sessionStore is a gorilla store whose sessions are rows: the cookie has a
// signed random id, the row stands under the id's hash, and ending the row ends
// the session wherever it is used.
type sessionStore struct {
	store   userStore
	codec   securecookie.Codec
	options sessions.Options
}

func newSessionStore(store userStore, key []byte, secure bool) *sessionStore {
	codec := securecookie.New(key, nil)
	codec.MaxAge(int(sessionAge.Seconds()))
	return &sessionStore{store: store, codec: codec, options: sessions.Options{
		Path: "/", MaxAge: int(sessionAge.Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}}
}

// Get returns the session of a request, the same one each time.
func (s *sessionStore) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session of a request. An unknown, expired or forged cookie
// gives a new session and no error.
func (s *sessionStore) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	options := s.options
	session.Options, session.IsNew = &options, true
	cookie, err := r.Cookie(name)
	if err != nil || s.codec.Decode(name, cookie.Value, &session.ID) != nil {
		session.ID = ""
		return session, nil
	}
	row, err := s.store.Session(r.Context(), hashOf(session.ID), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		session.ID = ""
		return session, nil
	}
	if err != nil {
		return session, err
	}
	return session, readSession(session, row)
}

func readSession(session *sessions.Session, row webhook.Session) error {
	values := map[string]any{}
	if err := json.Unmarshal(row.Data, &values); err != nil {
		return err
	}
	for key, value := range values {
		session.Values[key] = value
	}
	session.Values[userKey], session.Values[endKey] = row.User, row.ExpiresAt
	session.IsNew = false
	return nil
}

// Save writes the session's row and its cookie; a negative MaxAge ends both.
func (s *sessionStore) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return s.store.EndSession(r.Context(), hashOf(session.ID))
	}
	if err := s.write(r.Context(), session); err != nil {
		return err
	}
	value, err := s.codec.Encode(session.Name(), session.ID)
	if err != nil {
		return err
	}
	http.SetCookie(w, sessions.NewCookie(session.Name(), value, session.Options))
	return nil
}

// write adds the row of a new or rotated session; of one that goes on it only
// changes the row, so that a request on its way does not bring a session back
// that was ended elsewhere.
func (s *sessionStore) write(ctx context.Context, session *sessions.Session) error {
	if session.ID != "" {
		return s.store.UpdateSession(ctx, hashOf(session.ID), writeSession(session))
	}
	var old []byte
	if id, ok := session.Values[oldKey].(string); ok && id != "" {
		old = hashOf(id)
	}
	session.ID = rand.Text() + rand.Text()
	return s.store.AddSession(ctx, hashOf(session.ID), old, writeSession(session))
}

func writeSession(session *sessions.Session) webhook.Session {
	values := maps.Clone(session.Values)
	user, _ := values[userKey].(webhook.ID)
	for _, key := range []string{userKey, oldKey, endKey} {
		delete(values, key)
	}
	texts := make(map[string]any, len(values))
	for key, value := range values {
		texts[key.(string)] = value //nolint:forcetypeassert // all our keys are
	}
	data, err := json.Marshal(texts)
	if err != nil { // flash texts and refs always marshal
		panic(err)
	}
	return webhook.Session{User: user, Data: data, ExpiresAt: time.Now().Add(sessionAge)}
}

// rotate gives the session a new id when it is saved, so that whoever knew the
// one before the sign-in knows nothing.
func rotate(session *sessions.Session) {
	session.Values[oldKey], session.ID = session.ID, ""
}

func hashOf(id string) []byte {
	sum := sha256.Sum256([]byte(id))
	return sum[:]
}

const sessionKey = "session"

// open is a request's session with the request that gorilla wants.
type open struct {
	*sessions.Session
	request *http.Request
}

// session reads the session of a request, once.
func (a *app) session(c *fiber.Ctx) (*open, error) {
	if s, ok := c.Locals(sessionKey).(*open); ok {
		return s, nil
	}
	r := a.request(c)
	session, err := a.sessions.Get(r, sessionCookie)
	if err != nil {
		return nil, err
	}
	s := &open{Session: session, request: r}
	c.Locals(sessionKey, s)
	return s, nil
}

// request is what net/http libraries need to see of a request; nothing in it
// points into fasthttp's memory.
func (a *app) request(c *fiber.Ctx) *http.Request {
	header := http.Header{}
	for _, name := range []string{"Cookie", "Origin", "Sec-Fetch-Site"} {
		if value := c.Get(name); value != "" {
			header.Set(name, value)
		}
	}
	r := &http.Request{Method: c.Method(), Host: string(c.Request().Host()), Header: header}
	return r.WithContext(context.WithoutCancel(c.UserContext()))
}

// saveSession writes the session and hands its cookie to fiber.
func (a *app) saveSession(c *fiber.Ctx, s *open) error {
	w := headerOnly{http.Header{}}
	if err := s.Save(s.request, w); err != nil {
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

func (w headerOnly) Write(b []byte) (int, error) { return len(b), nil }

// WriteHeader does nothing.
func (w headerOnly) WriteHeader(int) {}
