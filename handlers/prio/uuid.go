package prio

import (
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/google/uuid"

	"bookhook/webhook"
)

// uuidOf shows the id of a webhook as a UUID of version 8 (RFC 9562, section
// 5.8): the 63 bits of the id are from the left around version and variant, and
// the rest is zero. Such texts sort like their ids.
func uuidOf(id webhook.WebhookID) string {
	var u uuid.UUID
	n := uint64(id) //nolint:gosec // an id is never negative
	binary.BigEndian.PutUint64(u[:], n>>15<<16|8<<12|n>>3&0xfff)
	u[8] = 0x80 | byte(n&7)<<3
	return u.String()
}

// parseUUID reads what uuidOf wrote, in small or capital letters. It returns
// webhook.ErrNotFound for any other text.
func parseUUID(text string) (webhook.WebhookID, error) {
	u, err := uuid.Parse(text)
	if err == nil {
		n := binary.BigEndian.Uint64(u[:])
		id := webhook.WebhookID(n>>16<<15 | n&0xfff<<3 | uint64(u[8])>>3&7) //nolint:gosec // 63 bits
		if strings.EqualFold(uuidOf(id), text) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("uuid %.40q: %w", text, webhook.ErrNotFound)
}
