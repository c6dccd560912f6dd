package tourcms

import (
	"errors"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bookhook/platforms"
	"bookhook/webhook"
)

// fiveKeys are the keys of the query, in the vendor's order.
var fiveKeys = []string{"event", "account_id", "account_name", "channel_id", "booking_id"}

// again is how long the same bytes count as a redelivery. TourCMS sends no id, does
// not document when it repeats a request, and can send the same query for a new
// event: a second voucher of a booking is redeemed, a booking is confirmed again. A
// minute is our reading.
const again = time.Minute

// Read reads a notification: what happened from a GET, and from a POST, with
// which TourCMS asks before it accepts a booking, its XML too. An account_id other than the
// account's number, which an operator may have chosen freely, refuses nothing: the token in
// the address says whose it is.
func Read(in platforms.Inbound) (platforms.Reading, error) {
	q, err := readQuery(in.Query)
	if err != nil {
		return platforms.Reading{}, err
	}
	e := webhook.Event{
		Platform: platform, Type: q.value("event"), ChannelID: q.value("channel_id"), BookingID: q.value("booking_id"),
		Inbound: true, Wire: []byte(in.Query),
	}
	data := payload{Query: q}
	if in.Method == http.MethodPost {
		text, err := readBody(in, &e)
		if err != nil {
			return platforms.Reading{}, err
		}
		data.XML = string(text)
	}
	e.Data = platforms.EncodeJSON(data)
	return platforms.Reading{Event: e, Account: accountOf(q), Within: again}, nil
}

// accountOf is the account that a query names, if that could be a number.
func accountOf(q query) string {
	if id := q.value("account_id"); number.MatchString(id) {
		return id
	}
	return ""
}

// payload is the Data of an event that TourCMS sent.
type payload struct {
	Query query  `json:"query"`
	XML   string `json:"xml,omitempty"`
}

// query is a query string in its order, with each key once.
type query []parameter

type parameter struct {
	key    string
	values []string
}

func (q query) find(key string) *parameter {
	i := slices.IndexFunc(q, func(p parameter) bool { return p.key == key })
	if i < 0 {
		return nil
	}
	return &q[i]
}

// value returns the first value of the key; "" if it is missing.
func (q query) value(key string) string {
	if p := q.find(key); p != nil {
		return p.values[0]
	}
	return ""
}

// MarshalJSON writes an object of strings; a key that was sent more than once has a
// list of them.
func (q query) MarshalJSON() ([]byte, error) {
	text := []byte("{")
	for i, p := range q {
		if i > 0 {
			text = append(text, ',')
		}
		var value any = p.values
		if len(p.values) == 1 {
			value = p.values[0]
		}
		text = slices.Concat(text, platforms.EncodeJSON(p.key), []byte(":"), platforms.EncodeJSON(value))
	}
	return append(text, '}'), nil
}

// readQuery reads what both kinds of call have in their address.
func readQuery(raw string) (query, error) {
	if strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '#' }) {
		return nil, platforms.BadRequest("tourcms.query_characters")
	}
	var q query
	index := map[string]int{}
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		key, value, err := decode(part)
		if err != nil {
			return nil, err
		}
		i, known := index[key]
		switch {
		case !known:
			index[key] = len(q)
			q = append(q, parameter{key, []string{value}})
		case slices.Contains(fiveKeys, key):
			return nil, platforms.BadRequest("tourcms.key_twice", key)
		default:
			q[i].values = append(q[i].values, value)
		}
	}
	return q, checkQuery(q)
}

// decode splits a part of the query into key and value. Only the five known keys
// have to be valid, so that no booking is lost because of another one.
func decode(part string) (key, value string, err error) {
	rawKey, rawValue, _ := strings.Cut(part, "=")
	key, err = url.QueryUnescape(rawKey)
	if err != nil {
		key = rawKey
	}
	value, err = url.QueryUnescape(rawValue)
	must := slices.Contains(fiveKeys, key)
	switch {
	case err != nil && must:
		return "", "", platforms.BadRequest("tourcms.percent", key)
	case err != nil:
		value = rawValue
	case must && key != "account_name" && !utf8.ValidString(value):
		return "", "", platforms.BadRequest("tourcms.value_not_utf8", key)
	}
	return strings.ToValidUTF8(key, "\uFFFD"), strings.ToValidUTF8(value, "\uFFFD"), nil
}

func checkQuery(q query) error {
	eventType := q.value("event")
	if eventType == "" {
		return platforms.BadRequest("tourcms.no_event")
	}
	if !known(eventType) {
		return platforms.UnknownEvent("tourcms.event", quote(eventType))
	}
	for _, key := range []string{"channel_id", "booking_id"} {
		if problem := webhook.CheckRef(q.value(key)); !problem.IsZero() {
			return rejected(http.StatusBadRequest, webhook.NewMessage("tourcms.value", key).Because(problem))
		}
	}
	return nil
}

// readBody reads the XML of a POST, checks who sent it when the account has an
// API key, adds to the event what it says, and returns it in UTF-8.
func readBody(in platforms.Inbound, e *webhook.Event) ([]byte, error) {
	charset, err := checkType(in.ContentType)
	if err != nil {
		return nil, err
	}
	text, err := toUTF8(in.Body, charset)
	if err != nil {
		return nil, badXML(http.StatusBadRequest, err)
	}
	root, err := parse(text)
	if err != nil {
		return nil, badXML(http.StatusBadRequest, err)
	}
	if err := takeBooking(root.child("booking"), e); err != nil {
		return nil, err
	}
	return text, prove(in.Settings, root, e.ChannelID)
}

// takeBooking adds to the event what the booking says, and checks that they agree.
func takeBooking(booking *element, e *webhook.Event) (err error) {
	for _, part := range []struct {
		key string
		to  *string
	}{{"booking_id", &e.BookingID}, {"channel_id", &e.ChannelID}} {
		said := booking.value(part.key)
		switch {
		case *part.to == "":
			*part.to = said
		case said != "" && said != *part.to:
			return platforms.BadRequest("tourcms.contradiction", part.key, *part.to, quote(said))
		}
		if problem := webhook.CheckRef(said); !problem.IsZero() {
			return rejected(http.StatusBadRequest, webhook.NewMessage("tourcms.xml_value", part.key).Because(problem))
		}
	}
	if e.TourIDs, err = tours(booking); err != nil {
		return badXML(http.StatusBadRequest, err)
	}
	return nil
}

// prove checks the signature with the key of the channel, if there are keys.
func prove(s webhook.Settings, root *element, channel string) error {
	if !hasKey(s) {
		return nil
	}
	key := Key(s, channel)
	if key == "" {
		return platforms.BadSignature("tourcms.no_channel_key", quote(channel))
	}
	if err := verify(root, key); err != nil {
		return badXML(http.StatusUnauthorized, err)
	}
	return nil
}

func rejected(status int, why webhook.Message) error {
	return platforms.Rejected{Status: status, Why: why}
}

// badXML returns the rejection for an error of reading or verifying a body.
func badXML(status int, err error) error {
	why, ok := errors.AsType[webhook.Message](err)
	if !ok {
		return err
	}
	return rejected(status, webhook.NewMessage("tourcms.body").Because(why))
}

// checkType accepts every content type that could be XML, and returns the charset
// in it: that of TourCMS's POST is not documented.
func checkType(contentType string) (charset string, err error) {
	kind, parameters, err := mime.ParseMediaType(contentType)
	if err != nil {
		kind, _, _ = strings.Cut(strings.ToLower(contentType), ";")
		kind = strings.TrimSpace(kind)
	}
	taken := []string{"", "text/xml", "application/xml", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream"}
	if !slices.Contains(taken, kind) && !strings.HasSuffix(kind, "+xml") {
		return "", platforms.BadType("tourcms.content_type", quote(kind))
	}
	return parameters["charset"], nil
}

// tours lists the tours of a booking, each once, in their order.
func tours(booking *element) ([]string, error) {
	var ids []string
	seen := map[string]bool{}
	for component := range booking.child("components").named("component") {
		id := component.value("product_id")
		if id == "" || seen[id] {
			continue
		}
		if problem := webhook.CheckRef(id); !problem.IsZero() {
			return nil, webhook.NewMessage("tourcms.product_id").Because(problem)
		}
		if len(ids) == webhook.MaxTours {
			return nil, webhook.NewMessage("tourcms.too_many_tours", webhook.MaxTours)
		}
		seen[id] = true
		ids = append(ids, id)
	}
	return ids, nil
}
