package db

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"time"

	"bookhook/webhook"
)

// Attempts lists the attempts of a delivery in their order; a missing number is an
// attempt that was cut off.
func (s *Store) Attempts(ctx context.Context, account webhook.AccountID, delivery webhook.DeliveryID) ([]webhook.Attempt, error) {
	return list(ctx, s.engine, scanAttempt, `SELECT a.number, a.started_at, a.duration_us, a.status, a.failure, a.error, a.method, a.url,
			a.remote_addr, a.request_headers, a.request_body, a.data_at, a.response_headers, a.response_body, a.truncated, e.data
		FROM deliveries d JOIN events e ON e.id = d.event_id JOIN attempts a ON a.delivery_id = d.id
		WHERE d.account_id = $1 AND d.id = $2 ORDER BY a.number`, account, delivery)
}

const insertAttempt = `INSERT INTO attempts (delivery_id, number, started_at, duration_us, status, failure, error, method, url,
		remote_addr, request_headers, request_body, data_at, response_headers, response_body, truncated)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) ON CONFLICT (delivery_id, number) DO NOTHING`

func attemptValues(r webhook.Result) []any {
	a := r.Attempt
	body, dataAt := removeData(a.RequestBody, r.Data)
	return []any{
		r.Delivery, a.Number, toMillis(a.StartedAt), a.Duration.Microseconds(), a.Status, string(a.Failure), messageJSON(a.Error), a.Method, a.URL,
		a.RemoteAddr, headersJSON(a.RequestHeaders), body, dataAt, headersJSON(a.ResponseHeaders), a.ResponseBody, boolInt(a.Truncated),
	}
}

// removeData removes the event's data from a request's body, if the body contains
// it byte for byte: it is stored with the event, and would be most of the size of
// an attempt. It returns its position; -1 if the body does not contain it.
func removeData(body, data []byte) (rest []byte, from int) {
	if len(data) == 0 {
		return body, -1
	}
	if from = bytes.Index(body, data); from < 0 {
		return body, -1
	}
	return slices.Concat(body[:from], body[from+len(data):]), from
}

func scanAttempt(r scanner) (a webhook.Attempt, err error) {
	var us int64
	var dataAt int
	var requestHeaders, responseHeaders, data []byte
	err = r.Scan(&a.Number, timeScanner{&a.StartedAt}, &us, &a.Status, &a.Failure, messageScanner{&a.Error}, &a.Method, &a.URL,
		&a.RemoteAddr, &requestHeaders, &a.RequestBody, &dataAt, &responseHeaders, &a.ResponseBody, &a.Truncated, &data)
	if err != nil {
		return a, err
	}
	if dataAt >= 0 {
		a.RequestBody = slices.Concat(a.RequestBody[:dataAt], data, a.RequestBody[dataAt:])
	}
	a.Duration = time.Duration(us) * time.Microsecond
	if err := json.Unmarshal(requestHeaders, &a.RequestHeaders); err != nil {
		return a, err
	}
	return a, json.Unmarshal(responseHeaders, &a.ResponseHeaders)
}
