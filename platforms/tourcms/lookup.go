package tourcms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bookhook/webhook"
)

// Lookup asks TourCMS for the booking of an event (Show Booking): the GET webhook
// names no tour.
func Lookup() *webhook.Lookup {
	return &webhook.Lookup{Wanted: wanted, Request: askBooking, Read: readBooking}
}

// Lists asks TourCMS for channels and tours. An operator's key sees one channel
// only: each channel in the settings is asked with its own, for itself and for
// its tours. A marketplace agent's key sees all.
func Lists() *webhook.Lists {
	return &webhook.Lists{Ready: hasKey, Requests: askLists, Read: readList}
}

// wanted says whether TourCMS could tell more about the event: there is a key,
// and neither tours nor XML came with the event.
func wanted(s webhook.Settings, e webhook.Event) bool {
	return hasKey(s) && e.BookingID != "" && len(e.TourIDs) == 0 && documents(e) == stored{}
}

func askBooking(s webhook.Settings, e webhook.Event, now time.Time) (webhook.Request, error) {
	return ask(s, e.ChannelID, "/c/booking/show.xml?booking_id="+escape(e.BookingID), now)
}

func askLists(s webhook.Settings, kind webhook.ItemKind, now time.Time) ([]webhook.Request, error) {
	if setting(s, settingMarketplace, defaultMarketplace) != defaultMarketplace {
		path := "/p/tours/list.xml"
		if kind == webhook.Channels {
			path = "/p/channels/list.xml"
		}
		all, err := ask(s, "0", path, now)
		return []webhook.Request{all}, err
	}
	_, each := keys(s)
	if len(each) == 0 {
		return nil, errors.New("an operator's API key belongs to one channel: write the channel before it in the settings of TourCMS, such as 3930=KEY")
	}
	path := "/c/tours/list.xml"
	if kind == webhook.Channels {
		path = "/c/channel/show.xml"
	}
	var questions []webhook.Request
	for _, one := range each {
		question, err := ask(s, one.channel, path, now)
		if err != nil {
			return nil, err
		}
		questions = append(questions, question)
	}
	return questions, nil
}

// ask writes a signed request to the API on behalf of a channel; "" is the only
// channel there is a key for, or 0, which is no channel.
func ask(s webhook.Settings, channel, path string, now time.Time) (webhook.Request, error) {
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
		return webhook.Request{}, fmt.Errorf("TourCMS has no channel “%s”: its channels are numbers", shorten(channel))
	case key == "":
		return webhook.Request{}, fmt.Errorf("no API key is stored for channel %s of TourCMS", channel)
	}
	marketplace := setting(s, settingMarketplace, defaultMarketplace)
	signature := sign(key, channel+"/"+marketplace+"/"+http.MethodGet+"/"+strconv.FormatInt(now.Unix(), 10)+path)
	return webhook.Request{
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

// readBooking adds the tours of the answer to the event, and the answer to its
// Data.
func readBooking(e webhook.Event, status int, body []byte) (webhook.Event, error) {
	root, err := readAnswer(status, body)
	if err != nil {
		return e, err
	}
	booking := root.child("booking")
	if id := booking.value("booking_id"); id != e.BookingID {
		return e, fmt.Errorf("TourCMS answered with the booking “%s” when it was asked for “%s”", shorten(id), e.BookingID)
	}
	found, err := tours(booking)
	if err != nil {
		return e, fmt.Errorf("TourCMS answered what cannot be taken: %w", err)
	}
	e.TourIDs = found
	e.Data = withShowBooking(e.Data, string(body))
	return e, nil
}

// readAnswer reads what the API answered: its document when all is well, an error
// in TourCMS's words otherwise.
func readAnswer(status int, body []byte) (*element, error) {
	root, err := parse(body)
	said := ""
	if err == nil {
		said = root.value("error")
	}
	switch {
	case said != "" && said != "OK":
		return nil, fmt.Errorf("TourCMS answered “%s” (status %d)", shorten(said), status)
	case status != http.StatusOK:
		return nil, fmt.Errorf("TourCMS answered %d", status)
	case err != nil:
		return nil, fmt.Errorf("TourCMS answered what cannot be read: %w", err)
	case said == "":
		return nil, errors.New("TourCMS answered XML without the element error, which says OK when all is well")
	}
	return root, nil
}

// withShowBooking adds the answer to an object and leaves the rest of it byte
// for byte. What is no object stays as it is.
func withShowBooking(data []byte, answer string) []byte {
	member := slices.Concat([]byte(`"show_booking":`), webhook.EncodeJSON(answer), []byte("}"))
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

// readList reads the channels or tours of an answer, as TourCMS writes them.
func readList(kind webhook.ItemKind, status int, body []byte) ([]webhook.Item, error) {
	root, err := readAnswer(status, body)
	one := map[webhook.ItemKind]string{webhook.Channels: "channel", webhook.Tours: "tour"}[kind]
	var items []webhook.Item
	for element := range root.named(one) {
		items = append(items, webhook.Item{ID: element.value(one + "_id"), Name: element.value(one + "_name")})
	}
	return items, err
}
