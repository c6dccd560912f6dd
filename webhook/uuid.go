package webhook

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
)

// UUID shows the ID as a UUID, for programs that know nothing else. It is of
// version 8 (RFC 9562, section 5.8): the ID's 63 bits stand from the left around
// version and variant, and the rest is zero. Such texts sort like their IDs.
func (id ID) UUID() string {
	var b [16]byte
	n := uint64(id) //nolint:gosec // an ID is never negative
	binary.BigEndian.PutUint64(b[:], n>>15<<16|n>>3&0xfff)
	b[8] = byte(n&7) << 3
	return writeUUID(b, 8)
}

// NewUUID makes a UUID of version 4, like no other.
func NewUUID() string {
	var b [16]byte
	rand.Read(b[:]) //nolint:errcheck // never fails, as documented
	return writeUUID(b, 4)
}

// UUIDOf is the UUID of a text, of version 8: the same text has the same.
func UUIDOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return writeUUID([16]byte(sum[:]), 8)
}

func writeUUID(b [16]byte, version byte) string {
	b[6], b[8] = b[6]&0x0f|version<<4, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// ParseUUID reads what [ID.UUID] wrote, in small or capital letters. Any other
// text is [ErrNotFound].
func ParseUUID(text string) (ID, error) {
	b, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err == nil && len(b) == 16 {
		n := binary.BigEndian.Uint64(b)
		id := ID(n>>16<<15 | n&0xfff<<3 | uint64(b[8])>>3&7) //nolint:gosec // 63 bits
		if strings.EqualFold(id.UUID(), text) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("uuid %.40q: %w", text, ErrNotFound)
}
