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

// ID names a row: 63 bits, ascending with the time it was made. An ID is no
// secret; every query that takes one also names the account.
type ID int64

// The prefixes under which IDs are shown, one for each kind of thing.
const (
	AccountPrefix  = "acc"
	UserPrefix     = "usr"
	TokenPrefix    = "tok"
	DraftPrefix    = "drf"
	WebhookPrefix  = "whk"
	EventPrefix    = "evt"
	DeliveryPrefix = "dlv"
	ClientPrefix   = "cli"
	UnreadPrefix   = "unr" // of an [Unrecognised]
)

// idText is base32 with an alphabet in ASCII order that leaves out i, l, o and
// u: texts sort like their IDs and survive being read aloud.
var idText = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// Text shows the ID as its prefix and 13 characters: evt_0d3k5m7p9r1t2.
func (id ID) Text(prefix string) string {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(id)) //nolint:gosec // an ID is never negative
	return prefix + "_" + idText.EncodeToString(b[:])
}

// ParseID reads what [ID.Text] wrote. Any other text is [ErrNotFound]: whoever
// asks for it asks for something that does not exist.
func ParseID(prefix, text string) (ID, error) {
	rest, ok := strings.CutPrefix(text, prefix+"_")
	if !ok || len(rest) != 13 {
		return 0, fmt.Errorf("%s id %.40q: %w", prefix, text, ErrNotFound)
	}
	b, err := idText.DecodeString(rest)
	// The decoder skips line breaks, so b may be short.
	if err != nil || len(b) != 8 || b[0] > 127 || ID(binary.BigEndian.Uint64(b)).Text(prefix) != text { //nolint:gosec // checked
		return 0, fmt.Errorf("%s id %.40q: %w", prefix, text, ErrNotFound)
	}
	return ID(binary.BigEndian.Uint64(b)), nil //nolint:gosec // checked
}

// The parts of an ID below its milliseconds.
const (
	sequenceBits = 10
	machineBits  = 12
)

// idEpoch is where the milliseconds of an ID count from.
var idEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// FirstID is the smallest ID that can be made at t: what is older has a
// smaller one, so that a list by ID is a list by time. It is zero before 2025
// and the greatest ID there is after 2094.
func FirstID(t time.Time) ID {
	const below = sequenceBits + machineBits
	ms := max(t.Sub(idEpoch).Milliseconds(), 0)
	if ms > math.MaxInt64>>below {
		return math.MaxInt64
	}
	return ID(ms << below)
}

// Time is when the ID was made, to the millisecond.
func (id ID) Time() time.Time {
	return idEpoch.Add(time.Duration(id>>(sequenceBits+machineBits)) * time.Millisecond)
}

// NewIDs returns a source of ascending IDs, safe for concurrent use: 41 bits of
// milliseconds since 2025, a sequence of 10 bits, and 12 random bits that tell
// processes on one database apart. It makes at most 1,024 IDs in a millisecond
// and waits for the next one after that.
func NewIDs() (func() ID, error) {
	flake, err := sonyflake.New(sonyflake.Settings{
		StartTime: idEpoch, TimeUnit: time.Millisecond,
		BitsSequence: sequenceBits, BitsMachineID: machineBits,
		MachineID: func() (int, error) { return rand.IntN(1 << machineBits), nil }, //nolint:gosec // no secret
	})
	if err != nil {
		return nil, fmt.Errorf("start the id source: %w", err)
	}
	return func() ID {
		id, err := flake.NextID()
		if err != nil { // only once the 41 bits of time are used up, in 2094
			panic(err)
		}
		return ID(id)
	}, nil
}
