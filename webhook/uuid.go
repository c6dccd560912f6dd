package webhook

import (
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
	binary.BigEndian.PutUint64(b[:], n>>15<<16|8<<12|n>>3&0xfff)
	b[8] = 0x80 | byte(n&7)<<3
	text := hex.EncodeToString(b[:])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
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
