package webhook

import (
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/sony/sonyflake/v2"
)

// ID identifies a row: 63 bits, ascending with the time of creation, and shown as
// the prefix of its kind and 13 characters: evt_0d3k5m7p9r1t2. Only the id of a
// client has no underscore. An ID is no secret; every query that takes one also
// takes the account. The zero ID means none.
type ID[K kind] int64

// kind makes the ids of one kind of record a type of their own.
type kind interface{ prefix() string }

type (
	accountKind  struct{}
	userKind     struct{}
	tokenKind    struct{}
	clientKind   struct{}
	draftKind    struct{}
	webhookKind  struct{}
	eventKind    struct{}
	deliveryKind struct{}
	replayKind   struct{}
	rejectedKind struct{}
	auditKind    struct{}
	viewKind     struct{}

	uploadKind         struct{}
	reconciliationKind struct{}

	mailKind       struct{}
	invitationKind struct{}
	incidentKind   struct{}
)

func (accountKind) prefix() string  { return "acc_" }
func (userKind) prefix() string     { return "usr_" }
func (tokenKind) prefix() string    { return "tok_" }
func (clientKind) prefix() string   { return "cli" } // letters alone: some clients of OAuth 2.0 encode an underscore, and some do not
func (draftKind) prefix() string    { return "drf_" }
func (webhookKind) prefix() string  { return "whk_" }
func (eventKind) prefix() string    { return "evt_" }
func (deliveryKind) prefix() string { return "dlv_" }
func (replayKind) prefix() string   { return "rpl_" }
func (rejectedKind) prefix() string { return "rej_" }
func (auditKind) prefix() string    { return "aud_" }
func (viewKind) prefix() string     { return "viw_" }

func (uploadKind) prefix() string         { return "upl_" }
func (reconciliationKind) prefix() string { return "rec_" }

func (mailKind) prefix() string       { return "out_" }
func (invitationKind) prefix() string { return "inv_" }
func (incidentKind) prefix() string   { return "inc_" }

// The ids, one type for each kind of record, so that no call can swap two.
type (
	AccountID  = ID[accountKind]
	UserID     = ID[userKind]
	TokenID    = ID[tokenKind]
	ClientID   = ID[clientKind]
	DraftID    = ID[draftKind]
	WebhookID  = ID[webhookKind] //nolint:revive // beside its siblings it repeats nothing
	EventID    = ID[eventKind]
	DeliveryID = ID[deliveryKind]
	ReplayID   = ID[replayKind]
	RejectedID = ID[rejectedKind] // of a [RejectedRequest]
	AuditID    = ID[auditKind]
	ViewID     = ID[viewKind] // of a [SavedView]

	UploadID         = ID[uploadKind] // of an [Upload]
	ReconciliationID = ID[reconciliationKind]

	MailID       = ID[mailKind] // of a [Mail]
	InvitationID = ID[invitationKind]
	IncidentID   = ID[incidentKind]
)

// anyID is any of them.
type anyID interface {
	~int64
	prefix() string
}

// idText is base32 with an alphabet in ASCII order that leaves out i, l, o and
// u: texts sort like their IDs and survive being read aloud.
var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

const idTextLength = 13 // characters behind the prefix

func (ID[K]) prefix() string {
	var k K
	return k.prefix()
}

// String returns the ID as people and programs see it.
func (id ID[K]) String() string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id)) //nolint:gosec // an ID is never negative
	return id.prefix() + idText.EncodeToString(b[:])
}

// MarshalText writes the ID as [ID.String] does, the zero ID as nothing.
func (id ID[K]) MarshalText() ([]byte, error) {
	if id == 0 {
		return nil, nil
	}
	return []byte(id.String()), nil
}

// UnmarshalText reads what [ID.MarshalText] wrote; any other text is
// [ErrNotFound].
func (id *ID[K]) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*id = 0
		return nil
	}
	*id, err = ParseID[ID[K]](string(text))
	return err
}

// ParseID reads what String wrote of an ID of this kind, that of a client also with
// an underscore behind its prefix, as it was shown before. Any other text, and the
// zero ID, is [ErrNotFound]: nothing with that id exists.
func ParseID[I anyID](text string) (I, error) {
	prefix := I(0).prefix()
	kind, underscore := strings.CutSuffix(prefix, "_")
	rest, ok := strings.CutPrefix(text, prefix)
	if !underscore {
		rest = strings.TrimPrefix(rest, "_")
	}
	notFound := func() error { return fmt.Errorf("%s id %.40q: %w", kind, text, ErrNotFound) }
	if !ok || len(rest) != idTextLength {
		return 0, notFound()
	}
	b, err := idText.DecodeString(rest)
	// The decoder skips line breaks, so b may be short; and its last character
	// has bits that mean nothing.
	if err != nil || len(b) != 8 || b[0] > 127 || idText.EncodeToString(b) != rest {
		return 0, notFound()
	}
	id := I(binary.BigEndian.Uint64(b)) //nolint:gosec // checked
	if id == 0 {                        // it means none, and as a filter would select everything
		return 0, notFound()
	}
	return id, nil
}

// The parts of an ID below its milliseconds.
const (
	sequenceBits = 10
	machineBits  = 12
)

// idEpoch is the time from which the milliseconds of an ID count.
var idEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// FirstID returns the smallest ID that can be generated at t: everything older
// has a smaller one, so that a list by ID is a list by time. It is zero before
// 2025, and the greatest ID there is after 2094.
func FirstID[I anyID](t time.Time) I {
	const below = sequenceBits + machineBits
	ms := max(t.Sub(idEpoch).Milliseconds(), 0)
	if ms > math.MaxInt64>>below {
		return math.MaxInt64
	}
	return I(ms << below)
}

// Time returns when the ID was generated, to the millisecond.
func (id ID[K]) Time() time.Time {
	return idEpoch.Add(time.Duration(id>>(sequenceBits+machineBits)) * time.Millisecond)
}

// NewIDs returns a source of ascending IDs, safe for concurrent use: 41 bits of
// milliseconds since 2025, a sequence of 10 bits, and 12 random bits that
// distinguish processes on one database. It generates at most 1,024 IDs in a
// millisecond, and then waits for the next. The caller converts each to the type
// of its kind.
func NewIDs() (func() int64, error) {
	flake, err := sonyflake.New(sonyflake.Settings{
		StartTime: idEpoch, TimeUnit: time.Millisecond,
		BitsSequence: sequenceBits, BitsMachineID: machineBits,
		MachineID: func() (int, error) { return rand.IntN(1 << machineBits), nil }, //nolint:gosec // no secret
	})
	if err != nil {
		return nil, fmt.Errorf("start the id source: %w", err)
	}
	return func() int64 {
		id, err := flake.NextID()
		if err != nil { // only once the 41 bits of time are used up, in 2094
			panic(err)
		}
		return id
	}, nil
}
