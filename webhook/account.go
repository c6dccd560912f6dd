package webhook

import (
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"
)

// DefaultLimit is how many asynchronous webhooks an account may have unless
// support raised it; the number is that of TourCMS.
const DefaultLimit = 10

// Limited is what an account may have, or do, only so many of.
type Limited string

// What is limited. The texts are parts of codes and of the types of problems.
const (
	LimitedWebhooks Limited = "webhook" // asynchronous ones; an account has its own limit of them
	LimitedInline   Limited = "inline"  // synchronous webhooks
	LimitedFilters  Limited = "filter"  // what the configurations of all webhooks name
	LimitedTokens   Limited = "token"
	LimitedClients  Limited = "client"
	LimitedDrafts   Limited = "draft"
	LimitedPeople   Limited = "person"
	LimitedChannels Limited = "channel"
	LimitedTours    Limited = "tour"
	LimitedChecks   Limited = "check"
	LimitedReplays  Limited = "replay"   // bulk replays that run
	LimitedReplayed Limited = "replayed" // deliveries of a bulk replay
	LimitedPlans    Limited = "planned"  // bulk replays that are planned at once
	LimitedViews    Limited = "view"     // saved views of one person

	LimitedInvitations   Limited = "invitation"    // that are sent within a day
	LimitedInvitationsTo Limited = "invitation_to" // of those to one address

	LimitedConfirmations   Limited = "confirmation"    // messages that ask to confirm an address, within a day
	LimitedConfirmationsTo Limited = "confirmation_to" // of those to one address

	LimitedHeld        Limited = "held"        // references of a list
	LimitedReconciled  Limited = "reconciled"  // deliveries of a comparison
	LimitedReconciling Limited = "reconciling" // comparisons that are under way
)

// How many an account may have of what people and API clients create. Retired
// channels and tours do not count, but as many of them are kept at most.
const (
	MaxInline        = 100     // synchronous webhooks
	MaxConfigs       = 2 << 20 // characters of the configurations of all webhooks: their filters, above all
	MaxTokens        = 100     // API tokens
	MaxClients       = 50      // clients of the Prioticket-compatible API
	MaxDrafts        = 100     // unfinished webhooks, unchanged ones included
	MaxPeople        = 200     // users
	MaxChannelsInUse = 10_000
	MaxToursInUse    = 20_000
)

// MaxChecks is how many times an account may let Bookhook call an address of its
// choice within one minute of the clock: checks of URLs, tests of webhooks and
// drafts, and imports from a platform. They would serve as a port scanner.
const MaxChecks = 30

// CountAsync counts the webhooks that an account's limit applies to: the
// asynchronous ones, switched-off ones included.
func CountAsync(all []*Webhook) int {
	n := 0
	for _, w := range all {
		if w.Kind == Async {
			n++
		}
	}
	return n
}

// Account is one tour operator.
type Account struct {
	ID           AccountID
	Number       int64 // account_id in TourCMS calls; unique, chosen by people
	Name         string
	TimeZone     string // IANA name; "UTC" until set
	WebhookLimit int    // asynchronous webhooks, switched-off ones included
	CreatedAt    time.Time
}

// Location returns the account's time zone, UTC if it cannot be loaded.
func (a Account) Location() *time.Location {
	if loc, err := time.LoadLocation(a.TimeZone); err == nil {
		return loc
	}
	return time.UTC
}

// MayTake reports whether an account that has some of what all accounts share may
// take more of it: as long as it has less than is free.
//
// What is in use cannot always be taken back, so what others are to have at once
// must be free beforehand. By this rule one account takes at most half, and of any
// number of accounts that take all they can get, each has as much as they leave free
// for the next. An account that takes little never notices it.
func MayTake(has, free int) bool { return has < free }

// Turns are places for work that must not be under way too often at once: so many in
// all, which accounts share as MayTake says.
type Turns struct {
	most, each int
	mu         sync.Mutex
	taken      int
	byAccount  map[AccountID]int
}

// NewTurns returns most turns, of which an account may have each at a time.
func NewTurns(most, each int) *Turns {
	return &Turns{most: most, each: each, byAccount: map[AccountID]int{}}
}

// Take takes a turn and returns what gives it back, which may be called more than once;
// nil if none is left for the account.
func (t *Turns) Take(account AccountID) (giveBack func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if has := t.byAccount[account]; has >= t.each || !MayTake(has, t.most-t.taken) {
		return nil
	}
	t.taken++
	t.byAccount[account]++
	return sync.OnceFunc(func() { t.giveBack(account) })
}

func (t *Turns) giveBack(account AccountID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.taken--
	if t.byAccount[account]--; t.byAccount[account] == 0 {
		delete(t.byAccount, account)
	}
}

// AccountUse is an account and what it uses.
type AccountUse struct {
	Account
	Webhooks  int // asynchronous ones, those that are off included
	Users     int
	Attention int // webhooks that Bookhook switched off, or of which every attempt of a while has failed
}

// Role is what a user may do.
type Role string

// The roles, each able to do what the next one can.
const (
	RoleAdmin    Role = "admin"    // of the instance: accounts and their limits
	RoleOperator Role = "operator" // everything in the account
	RoleStaff    Role = "staff"    // see everything, test and replay, change nothing
)

// Roles lists all roles.
var Roles = []Role{RoleAdmin, RoleOperator, RoleStaff}

// CanConfigure reports whether the role may change webhooks, lists and settings.
func (r Role) CanConfigure() bool { return r == RoleAdmin || r == RoleOperator }

// User is a person who signs in. Account is zero for an admin without one.
type User struct {
	ID           UserID
	Account      AccountID
	Email        string // lower case, unique in the instance
	PasswordHash string
	Role         Role
	CreatedAt    time.Time
}

// Invitation is for somebody who becomes a user of an account once they have chosen
// a password, by the link in a message.
type Invitation struct {
	ID        InvitationID
	Account   AccountID
	Email     string // lower case
	Role      Role
	CreatedBy string
	CreatedAt time.Time
	ExpiresAt time.Time
	State     MailState // of the last message with a link; "" if that is no longer known
	Problem   Message   // of its last attempt
}

// How long the links in messages work.
const (
	InvitationTerm = 7 * 24 * time.Hour
	ResetTerm      = time.Hour // for a new password
)

// How many messages others can make Bookhook send, so that nobody's mailbox is flooded.
const (
	MaxResets         = 3         // links for a new password that one user gets within ResetTerm
	MaxInvitations    = MaxPeople // of one account within InvitationsWithin
	MaxInvitationsTo  = 5         // of those to one address
	InvitationsWithin = 24 * time.Hour

	MaxConfirmations   = 50 // messages that ask to confirm an address, of one account within ConfirmationsWithin
	MaxConfirmationsTo = 5  // of those to one address

	ConfirmationsWithin = 24 * time.Hour

	MaxWaitingResets = 1_000 // requests of such links that have not been looked at yet
)

// Mail is a message in the outbox, to one address. What it says is made of kind and
// arguments when it is sent.
type Mail struct {
	ID         MailID
	Account    AccountID // zero: of the instance, or not known until it is sent
	User       UserID    // whom it is for; zero: nobody who can sign in, or not known until it is sent
	To         string
	Kind       MailKind
	Args       []byte // JSON, as the kind has it; nil: none
	State      MailState
	Attempts   int
	NextAt     time.Time // of the next attempt; while it is being sent, when that counts as cut off
	Problem    Message   // of the last attempt
	CreatedAt  time.Time
	FinishedAt time.Time // zero while it is waiting
}

// MailKind is what a message is about.
type MailKind string

// The kinds of messages.
const (
	MailInvitation MailKind = "invitation"
	MailReset      MailKind = "reset" // of a forgotten password; it may be to somebody who is no user
	MailIncident   MailKind = "incident"
	MailConfirm    MailKind = "confirm"  // an address for the bookings of a webhook that fails
	MailFallback   MailKind = "fallback" // those bookings
	MailTest       MailKind = "test"     // of the mail settings; it is sent before it is in the outbox
)

// MailState is what became of a message.
type MailState string

// The states of a message.
const (
	MailWaiting MailState = "waiting"
	MailSent    MailState = "sent"   // the mail server took it
	MailFailed  MailState = "failed" // it is not tried again
)

// Token is an API token of an account; its secret text is kept only as a hash.
type Token struct {
	ID        TokenID
	Account   AccountID
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time // to the hour; zero when never used
}

// Client is a program that manages webhooks through the Prioticket-compatible
// API; its secret is kept only as a hash.
type Client struct {
	ID        ClientID // also its client_id
	Account   AccountID
	Name      string
	CreatedAt time.Time
	UsedAt    time.Time // to the hour; zero when never used
}

// Item is a channel or a tour: the booking system's own id and a name. Matching
// uses the id only. A retired item is no longer offered to choose from; webhooks
// that select it still match it.
type Item struct {
	ID        string
	Name      string
	RetiredAt time.Time // zero while in use
}

// ItemKind says which of the two lists an item belongs to.
type ItemKind string

// The two lists of an account.
const (
	Channels ItemKind = "channels"
	Tours    ItemKind = "tours"
)

// Limit returns what is limited in the list, and how many may be in use.
func (k ItemKind) Limit() (what Limited, limit int) {
	if k == Tours {
		return LimitedTours, MaxToursInUse
	}
	return LimitedChannels, MaxChannelsInUse
}

// ItemsImported counts what an import of a platform's channels or tours did.
type ItemsImported struct{ Added, Renamed, Unchanged int }

// Support names whom people ask for a higher limit: a name, an e-mail address or an
// https URL, as it follows "ask".
type Support string

// DefaultSupport is the support where nobody else is named.
const DefaultSupport = "the person who runs this Bookhook"

// Href returns where a link to the support leads; "" if it is neither an e-mail
// address nor an https URL.
func (s Support) Href() string {
	text := string(s)
	if address, err := mail.ParseAddress(text); err == nil && address.Address == text {
		return "mailto:" + url.PathEscape(text)
	}
	if s.IsURL() {
		return text
	}
	return ""
}

// IsURL reports whether the support is an https URL.
func (s Support) IsURL() bool {
	u, err := url.Parse(string(s))
	return err == nil && u.Scheme == "https" && u.Hostname() != "" && !strings.Contains(string(s), " ")
}

// StartOfDay returns the first instant at which it is that day, or a later one, in
// a time zone. That is not always midnight: where clocks change at midnight, the
// day begins at 01:00, or has two midnights, and some zones have left out a day.
// A day ends where the next one begins: StartOfDay(year, month, day+1, loc).
func StartOfDay(year int, month time.Month, day int, loc *time.Location) time.Time {
	midnight := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	t := midnight.Add(-36 * time.Hour).In(loc) // no zone is that far ahead
	for {
		_, offset := t.Zone()
		start, end := t.ZoneBounds()
		first := midnight.Add(time.Duration(-offset) * time.Second).In(loc)
		if first.Before(start) { // midnight was skipped when this period began
			first = start
		}
		if end.IsZero() || first.Before(end) {
			return first
		}
		t = end
	}
}
