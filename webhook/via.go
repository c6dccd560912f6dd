package webhook

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"regexp"
	"strconv"
	"strings"
)

// The headers that stop loops.
const (
	ViaHeader  = "Bookhook-Via"  // of a delivery: the path of its event, a [Via]
	LoopHeader = "Bookhook-Loop" // of a 508: a Bookhook refused the event, because of its path
)

// MaxHops is how many hops the path of an event may have when it arrives.
const MaxHops = 3

// ErrLoop says that an event came back to an account that had sent it on, or came
// through more than MaxHops accounts. Sent on, it would travel without end.
var ErrLoop = errors.New("the event came back")

// Via is the path of an event through Bookhooks: for each account that sent it on a
// hop, separated by commas, the first one first. It is "" for an event that comes
// from a booking system.
//
// A hop is the instance and the account, both as a short hash: instances do not
// learn of each other's accounts.
type Via string

// Instance is one Bookhook, whose replicas share a database.
type Instance struct {
	key [sha256.Size]byte
	id  string
}

// NewInstance returns the instance that has this secret. The secret is random, and
// made once for each database.
func NewInstance(secret []byte) Instance {
	i := Instance{key: sha256.Sum256(secret)}
	i.id = i.hash("instance")
	return i
}

// hash returns 12 characters that only this instance can compute.
func (i Instance) hash(text string) string {
	sum := sha256.Sum256(append(i.key[:], text...))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// hop is the form of a hop, instance and account.
var hop = regexp.MustCompile(`^[A-Za-z0-9_-]{12}\.[A-Za-z0-9_-]{12}$`)

func (i Instance) hop(account AccountID) string {
	return i.id + "." + i.hash(strconv.FormatInt(int64(account), 10))
}

// Extend returns the path of an event that an account of this instance sends on.
func (i Instance) Extend(path Via, account AccountID) string {
	if path == "" {
		return i.hop(account)
	}
	return string(path) + ", " + i.hop(account)
}

// Arrive reads the header of an event that arrives at an account of this instance;
// what is not a hop is ignored. It returns ErrLoop if the event has passed this
// account already, or has more than MaxHops hops.
func (i Instance) Arrive(header string, account AccountID) (Via, error) {
	if header == "" {
		return "", nil
	}
	var hops []string
	here := i.hop(account)
	for text := range strings.SplitSeq(header, ",") {
		text = strings.TrimSpace(text)
		if text == here {
			return "", ErrLoop
		}
		if hop.MatchString(text) {
			hops = append(hops, text)
		}
	}
	if len(hops) > MaxHops {
		return "", ErrLoop
	}
	return Via(strings.Join(hops, ", ")), nil
}
