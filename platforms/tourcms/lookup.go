package tourcms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/platforms"
	"bookhook/webhook"
)

// Lookup asks TourCMS for the booking of an event (Show Booking): the GET webhook
// names no tour.
func Lookup() *platforms.Lookup {
	return &platforms.Lookup{Ready: hasKey, Wanted: wanted, Request: askBooking, Read: readBooking}
}

// Lists asks TourCMS for channels and tours. An operator's key sees one channel
// only: each channel in the settings is asked with its own, for itself and for
// its tours. A marketplace agent's key sees all.
func Lists() *platforms.Lists {
	return &platforms.Lists{Ready: hasKey, Requests: askLists, Read: readList}
}

// wanted reports whether TourCMS could add to the event: there is a key, and the
// event has neither tours nor XML.
func wanted(s webhook.Settings, e webhook.Event) bool {
	return hasKey(s) && e.BookingID != "" && len(e.TourIDs) == 0 && documents(e) == stored{}
}

func askBooking(s webhook.Settings, e webhook.Event, now time.Time) (platforms.Request, error) {
	return ask(s, e.ChannelID, "/c/booking/show.xml?booking_id="+escape(e.BookingID), now)
}

func askLists(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]platforms.Request, error) {
	if setting(s, settingMarketplace, defaultMarketplace) != defaultMarketplace {
		path := "/p/tours/list.xml"
		if kind == webhook.Channels {
			path = "/p/channels/list.xml"
		}
		all, err := ask(s, "0", path, now)
		return []platforms.Request{all}, err
	}
	_, each := keys(s)
	if len(each) == 0 {
		return nil, webhook.NewMessage("tourcms.key_without_channel")
	}
	path := "/c/tours/list.xml"
	if kind == webhook.Channels {
		path = "/c/channel/show.xml"
	}
	var questions []platforms.Request
	for _, one := range each {
		question, err := ask(s, one.channel, path, now)
		if err != nil {
			return nil, err
		}
		questions = append(questions, question)
	}
	return questions, nil
}

// ask writes a signed request to the API on behalf of a channel; "" means the only
// channel with a key, or 0, which means no channel.
func ask(s webhook.Settings, channel, path string, now time.Time) (platforms.Request, error) {
	one, each := keys(s)
	if channel == "" && one == "" && len(each) == 1 {
		channel = each[0].channel
	}
	if channel == "" {
		channel = "0"
	}
	key := Key(s, channel)
	switch {
	case !number.MatchString(channel):
		return platforms.Request{}, webhook.NewMessage("tourcms.no_such_channel", quote(channel))
	case key == "":
		return platforms.Request{}, webhook.NewMessage("tourcms.no_key_for_channel", channel)
	}
	marketplace := setting(s, settingMarketplace, defaultMarketplace)
	signature := sign(key, channel+"/"+marketplace+"/"+http.MethodGet+"/"+strconv.FormatInt(now.Unix(), 10)+path)
	return platforms.Request{
		Method: http.MethodGet,
		URL:    strings.TrimRight(setting(s, settingURL, defaultURL), "/") + path,
		Header: http.Header{
			"Authorization":  {"TourCMS " + channel + ":" + marketplace + ":" + signature},
			"X-Tourcms-Date": {now.UTC().Format(http.TimeFormat)},
			"User-Agent":     {"Bookhook (" + marketplace + "_" + channel + ")"}, // as the page "Getting started" asks and the PHP wrapper does
		},
		Only200: true,
	}, nil
}

// sign is the signature of a request, percent-encoded as PHP's rawurlencode does.
func sign(key, text string) string {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(text))
	return url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// readBooking adds the tours in the response to the event, and the response to its
// Data.
func readBooking(e webhook.Event, status int, body []byte) (webhook.Event, error) {
	root, text, err := readAnswer(status, body)
	if err != nil {
		return e, err
	}
	booking := root.child("booking")
	if id := booking.value("booking_id"); id != e.BookingID {
		return e, webhook.NewMessage("tourcms.answered_other", quote(id), e.BookingID)
	}
	found, err := tours(booking)
	if err != nil {
		return e, unusable(err)
	}
	e.TourIDs = found
	e.Data = withShowBooking(e.Data, string(text))
	return e, nil
}

// readAnswer returns the document of the API's response and its text in UTF-8, or
// the error that TourCMS reports in it.
func readAnswer(status int, body []byte) (root *element, text []byte, err error) {
	text, err = toUTF8(body, "")
	if err == nil {
		root, err = parse(text)
	}
	said := root.value("error")
	switch {
	case said != "" && said != "OK":
		return nil, nil, webhook.NewMessage("tourcms.answered_error", quote(said), status)
	case status != http.StatusOK:
		return nil, nil, webhook.NewMessage("tourcms.answered_status", status)
	case err != nil:
		return nil, nil, unusable(err)
	case said == "":
		return nil, nil, webhook.NewMessage("tourcms.answered_no_ok")
	}
	return root, text, nil
}

// unusable returns the error for a response that cannot be read.
func unusable(err error) error {
	why, ok := errors.AsType[webhook.Message](err)
	if !ok {
		return err
	}
	return webhook.NewMessage("tourcms.answered_unusable").Because(why)
}

// withShowBooking adds the response to a JSON object, and leaves the rest of it byte
// for byte. Anything else is not changed.
func withShowBooking(data []byte, answer string) []byte {
	member := slices.Concat([]byte(`"show_booking":`), platforms.EncodeJSON(answer), []byte("}"))
	text := bytes.TrimSpace(data)
	if len(text) == 0 || bytes.Equal(text, []byte("null")) {
		return append([]byte("{"), member...)
	}
	if text[0] != '{' || !json.Valid(text) {
		return data
	}
	inner := bytes.TrimRight(text[:len(text)-1], " \t\r\n")
	if len(inner) == 1 {
		return append([]byte("{"), member...)
	}
	return slices.Concat(inner, []byte(","), member)
}

// readList reads the channels or tours of a response, as TourCMS writes them.
func readList(kind webhook.ItemKind, status int, body []byte) ([]webhook.Item, error) {
	root, _, err := readAnswer(status, body)
	if err != nil {
		return nil, err
	}
	one := map[webhook.ItemKind]string{webhook.Channels: "channel", webhook.Tours: "tour"}[kind]
	var items []webhook.Item
	for element := range root.named(one) {
		items = append(items, webhook.Item{ID: element.value(one + "_id"), Name: element.value(one + "_name")})
	}
	return items, nil
}
