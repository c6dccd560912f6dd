package db

import (
	"context"
	"encoding/json"

	"bookhook/webhook"
)

// FailedResponses returns what receivers answered in the last attempts of these
// deliveries, as far as a list has room for it: the headers and the body of each that
// failed with a body of at most webhook.MaxMessageBody bytes.
func (s *Store) FailedResponses(ctx context.Context, account webhook.AccountID, deliveries []webhook.DeliveryID) (map[webhook.DeliveryID]webhook.Attempt, error) {
	if len(deliveries) == 0 {
		return nil, nil
	}
	found := make(map[webhook.DeliveryID]webhook.Attempt, len(deliveries))
	scan := func(r scanner) (id webhook.DeliveryID, err error) {
		var a webhook.Attempt
		var headers []byte
		if err := r.Scan(&id, &headers, &a.ResponseBody); err != nil {
			return id, err
		}
		err = json.Unmarshal(headers, &a.ResponseHeaders)
		found[id] = a
		return id, err
	}
	condition, ids := anyOf("d.id", 3, deliveries)
	_, err := list(ctx, s.engine, scan, `SELECT d.id, a.response_headers, a.response_body
		FROM deliveries d JOIN attempts a ON a.delivery_id = d.id AND a.number = d.completed
		WHERE a.failure <> '' AND d.account_id = $1 AND length(a.response_body) BETWEEN 1 AND $2 AND `+condition,
		append([]any{account, webhook.MaxMessageBody}, ids...)...)
	return found, err
}
