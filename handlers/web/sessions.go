package web

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/gorilla/securecookie"
	"github.com/gorilla/sessions"

	"bookhook/auth"
	"bookhook/webhook"
)

const (
	sessionCookie = "bookhook_session"
	sessionAge    = 14 * 24 * time.Hour
	sessionRenew  = 7 * 24 * time.Hour // a request renews a session with less than this left
)

// Keys of a session's values; all but the user's are stored as JSON.
const (
	userKey  = "user"
	flashKey = "flash" // []webhook.Message, shown on the next page
	oldKey   = "old"   // the id before a rotation, until it is saved
	endKey   = "end"   // when it expires

	passwordKey = "password" // the hash with which the user signed in, until it is saved; never stored
)

// SessionStore stores the sessions; *db.Store is one. Session and SessionUser return
// webhook.ErrNotFound for a session that is unknown, ended or expired.
type SessionStore interface {
	Session(ctx context.Context, hash []byte, now time.Time) (auth.Session, error)
	SessionUser(ctx context.Context, hash []byte, now time.Time) (webhook.UserID, error)
	AddSession(ctx context.Context, hash, old []byte, v auth.Session) error
	UpdateSession(ctx context.Context, hash []byte, v auth.Session) error
	EndSession(ctx context.Context, hash []byte) error
}

// Sessions are the sessions of people who sign in, valid for 14 days. It is a
// gorilla store with a row for each session: the cookie has a signed random id, the
// row is stored under the id's hash, and deleting the row ends the session
// everywhere.
type Sessions struct {
	store   SessionStore
	codec   securecookie.Codec
	options sessions.Options
}

// NewSessions returns the sessions of a store. The key has 32 bytes and signs the
// cookie; if secure is set, the cookie is for HTTPS only.
func NewSessions(store SessionStore, key []byte, secure bool) *Sessions {
	codec := securecookie.New(key, nil)
	codec.MaxAge(int(sessionAge.Seconds()))
	return &Sessions{store: store, codec: codec, options: sessions.Options{
		Path: "/", MaxAge: int(sessionAge.Seconds()), HttpOnly: true, Secure: secure, SameSite: http.SameSiteLaxMode,
	}}
}

// Get returns the session of a request, the same one each time.
func (s *Sessions) Get(r *http.Request, name string) (*sessions.Session, error) {
	return sessions.GetRegistry(r).Get(s, name)
}

// New reads the session of a request. An unknown, expired or forged cookie
// gives a new session and no error.
func (s *Sessions) New(r *http.Request, name string) (*sessions.Session, error) {
	session := sessions.NewSession(s, name)
	options := s.options
	session.Options, session.IsNew = &options, true
	cookie, err := r.Cookie(name)
	if err != nil || s.codec.Decode(name, cookie.Value, &session.ID) != nil {
		session.ID = ""
		return session, nil
	}
	row, err := s.store.Session(r.Context(), auth.HashSecret(session.ID), time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		session.ID = ""
		return session, nil
	}
	if err != nil {
		return session, err
	}
	return session, readSession(session, row)
}

// Lasts reports whether a session is still that of a user: not expired, and not ended by
// a sign-out, another password or the removal of the user.
func (s *Sessions) Lasts(ctx context.Context, hash []byte, user webhook.UserID) (bool, error) {
	current, err := s.store.SessionUser(ctx, hash, time.Now())
	if errors.Is(err, webhook.ErrNotFound) {
		return false, nil
	}
	return current == user, err
}

func readSession(session *sessions.Session, row auth.Session) error {
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
func (s *Sessions) Save(r *http.Request, w http.ResponseWriter, session *sessions.Session) error {
	if session.Options.MaxAge < 0 {
		http.SetCookie(w, sessions.NewCookie(session.Name(), "", session.Options))
		return s.store.EndSession(r.Context(), auth.HashSecret(session.ID))
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

// write inserts the row of a session that is new or has a new id, and updates the
// row of any other, so that a running request does not restore a session that was
// ended elsewhere.
func (s *Sessions) write(ctx context.Context, session *sessions.Session) error {
	if session.ID != "" {
		return s.store.UpdateSession(ctx, auth.HashSecret(session.ID), writeSession(session))
	}
	var old []byte
	if id, ok := session.Values[oldKey].(string); ok && id != "" {
		old = auth.HashSecret(id)
	}
	id, hash := auth.NewSessionID()
	session.ID = id
	return s.store.AddSession(ctx, hash, old, writeSession(session))
}

func writeSession(session *sessions.Session) auth.Session {
	values := maps.Clone(session.Values)
	user, _ := values[userKey].(webhook.UserID)
	password, _ := values[passwordKey].(string)
	for _, key := range []string{userKey, oldKey, endKey, passwordKey} {
		delete(values, key)
	}
	texts := make(map[string]any, len(values))
	for key, value := range values {
		texts[key.(string)] = value //nolint:forcetypeassert // all our keys are
	}
	data, err := json.Marshal(texts)
	if err != nil { // messages and texts always marshal
		panic(err)
	}
	return auth.Session{User: user, Password: password, Data: data, ExpiresAt: time.Now().Add(sessionAge)}
}
