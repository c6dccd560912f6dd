package bench

import (
	"bytes"
	"fmt"
	"strings"
)

// The events of the load have eventSize bytes and differ only in their numbers.
const (
	eventSize = 1024
	eventType = "new_confirmed_web"
	marker    = `"mark":"bench-` // before the log's tag and the event's number
	digits    = 10
	tagLength = 8 // of a log's tag
)

// template is an event with gaps for what differs.
type template struct {
	text    []byte
	numbers []int // where the number goes
	channel int
	data    int // where the data begin; they end before the last bracket
}

// newTemplate returns the event of a log. It contains the number as the event's
// id, as the booking and in the data, where the receiver finds it.
func newTemplate(tag string) template {
	number := strings.Repeat("#", digits)
	text := fmt.Sprintf(`{"id":"bench-%s-%s","type":"%s","channel_id":"@@","tour_ids":["101"],"booking_id":"%s","data":{%s%s-%s","note":""}}`,
		tag, number, eventType, number, marker, tag, number)
	text = strings.Replace(text, `"note":"`, `"note":"`+strings.Repeat("x", eventSize-len(text)), 1)
	f := template{text: []byte(text), channel: strings.Index(text, "@@"), data: strings.Index(text, "{"+marker)}
	for at := 0; ; {
		i := strings.Index(text[at:], number)
		if i < 0 {
			return f
		}
		f.numbers = append(f.numbers, at+i)
		at += i + digits
	}
}

// write fills the gaps in a copy of the template's text.
func (f template) write(text []byte, number, channel int) {
	for _, at := range f.numbers {
		writeNumber(text[at:at+digits], number)
	}
	writeNumber(text[f.channel:f.channel+2], channel)
}

func writeNumber(gap []byte, n int) {
	for i := len(gap) - 1; i >= 0; i-- {
		gap[i] = byte('0' + n%10)
		n /= 10
	}
}

// channelID returns the channel of the webhook at this place in its account.
func channelID(place int) string { return fmt.Sprintf("%02d", place) }

// readMark returns the number of the event in a delivery if it is of the log with
// the tag.
func readMark(body, tag []byte) (number int, ok bool) {
	i := bytes.Index(body, []byte(marker))
	if i < 0 {
		return 0, false
	}
	rest := body[i+len(marker):]
	if len(rest) < tagLength+1+digits || !bytes.Equal(rest[:tagLength], tag) {
		return 0, false
	}
	for _, c := range rest[tagLength+1 : tagLength+1+digits] {
		if c < '0' || c > '9' {
			return 0, false
		}
		number = 10*number + int(c-'0')
	}
	return number, true
}
