package postgres

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"bookhook/db/group"
	"bookhook/webhook"
)

// channel is on which the processes of a schema announce what others have to know.
const channel = `'bookhook_' || CAST(CAST(current_schema() AS regnamespace) AS oid)`

// Limits of announcements.
const (
	maxAnnouncement = 7900        // bytes; the server refuses 8000
	listenPause     = time.Second // until a lost connection is opened again
)

// Announce returns the statements that tell all other processes what the group touches,
// and whether they have to begin a new round. At most one announcement for each group is
// cheap: a commit with one waits for those of all databases of the server.
func (d *DB) Announce(touched []webhook.Touched, stale bool) (all []*group.Statement) {
	if len(touched) > 0 {
		all = append(all, d.announcement(touched))
	}
	if stale {
		all = append(all, &group.Statement{Query: `UPDATE last_writer SET changes = changes + 1`})
	}
	return all
}

// announcement announces what is touched; of too much, not which deliveries are new, and if
// it still is, that anything may have changed.
func (d *DB) announcement(touched []webhook.Touched) *group.Statement {
	text := encode(d.session.process, touched)
	if len(text) > maxAnnouncement {
		text = encode(d.session.process, withoutDeliveries(touched))
	}
	if len(text) > maxAnnouncement {
		text = encode(d.session.process, []webhook.Touched{{What: webhook.TouchUnknown}})
	}
	return &group.Statement{Query: `SELECT pg_notify(` + channel + `, $1)`, Args: []any{text}}
}

// withoutDeliveries lists what is touched, each once.
func withoutDeliveries(touched []webhook.Touched) (all []webhook.Touched) {
	seen := map[webhook.Touched]bool{}
	for _, t := range touched {
		if t.Delivery = 0; !seen[t] {
			seen[t] = true
			all = append(all, t)
		}
	}
	return all
}

const numberBase = 36

// encode returns who announces, "/" and the id of a delivery for each, and
// " account.webhook.touch" for each. Versions that do not know of the ids take them for a
// part of who announces.
func encode(process int64, all []webhook.Touched) string {
	text := strconv.AppendInt(nil, process, numberBase)
	for _, t := range all {
		text = strconv.AppendInt(append(text, '/'), int64(t.Delivery), numberBase)
	}
	for _, t := range all {
		text = strconv.AppendInt(append(text, ' '), int64(t.Account), numberBase)
		text = strconv.AppendInt(append(text, '.'), int64(t.Webhook), numberBase)
		text = strconv.AppendInt(append(text, '.'), int64(t.What), numberBase)
	}
	return string(text)
}

// decode reads what encode wrote; process is a text. What another version wrote may mean
// anything.
func decode(text string) (process string, all []webhook.Touched) {
	head, entries, _ := strings.Cut(text, " ")
	from := strings.Split(head, "/")
	for entry := range strings.FieldsSeq(entries) {
		texts := strings.SplitN(entry, ".", 3)
		if n := len(all) + 1; n < len(from) {
			texts = append(texts, from[n])
		}
		var numbers [4]int64
		for i, number := range texts {
			var err error
			if numbers[i], err = strconv.ParseInt(number, numberBase, 64); err != nil {
				return from[0], []webhook.Touched{{What: webhook.TouchUnknown}}
			}
		}
		all = append(all, webhook.Touched{
			Account: webhook.AccountID(numbers[0]), Webhook: webhook.WebhookID(numbers[1]), What: webhook.Touch(numbers[2]), Delivery: webhook.DeliveryID(numbers[3]),
		})
	}
	return from[0], all
}

// Listen calls heard with what other processes announce, and with webhook.TouchUnknown
// whenever it begins to listen, until ctx ends. Where the server's announcements do not
// arrive, as through PgBouncer in transaction mode, nothing is heard after that.
func (d *DB) Listen(ctx context.Context, heard func([]webhook.Touched)) {
	for ctx.Err() == nil {
		_ = d.listen(ctx, heard) // whoever listens also looks now and then
		select {
		case <-time.After(listenPause):
		case <-ctx.Done():
		}
	}
}

// listen is Listen until the connection is lost.
func (d *DB) listen(ctx context.Context, heard func([]webhook.Touched)) error {
	conn, err := pgx.ConnectConfig(ctx, d.config)
	if err != nil {
		return err
	}
	defer closeConn(conn)
	var name string
	if err := conn.QueryRow(ctx, `SELECT `+channel).Scan(&name); err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `LISTEN `+name); err != nil {
		return err
	}
	heard([]webhook.Touched{{What: webhook.TouchUnknown}})
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if process, touched := decode(n.Payload); process != strconv.FormatInt(d.session.process, numberBase) {
			heard(touched)
		}
	}
}
