package platforms

import (
	"slices"
	"strings"

	"bookhook/webhook"
)

// maxCompared is how many bytes of data one request compares; what is beyond them is
// on the next page.
const maxCompared = 4 << 20

// Changes are what is different in an event of a booking from the one before it.
type Changes struct {
	Differences []webhook.Difference
	More        bool // there are more than are listed
}

// Changes compares each event with its previous one, both of which read reads. Once
// maxCompared bytes were compared, it leaves out the rest of the events: the result
// has fewer then, but at least one.
func (r Registry) Changes(events []webhook.BookingEvent, read func(webhook.EventID) (webhook.EventRow, error)) ([]Changes, error) {
	all := make([]Changes, 0, len(events))
	var last webhook.EventRow // the one that was read last is often the next
	get := func(id webhook.EventID) (e webhook.EventRow, err error) {
		if last.ID == id {
			return last, nil
		}
		last, err = read(id)
		return last, err
	}
	compared := 0
	for _, e := range events {
		if compared > maxCompared {
			break
		}
		var c Changes
		if e.Previous != 0 {
			after, err := get(e.ID)
			if err != nil {
				return nil, err
			}
			before, err := get(e.Previous)
			if err != nil {
				return nil, err
			}
			c.Differences, c.More = r.Differences(before.Event, after.Event)
			compared += len(before.Data) + len(after.Data)
		}
		all = append(all, c)
	}
	return all, nil
}

// Differences lists what of a booking is different in a later event of it, as
// [webhook.Differences] does; paths point into the signed JSON of the standard format.
// The data of both are compared. Where they are not the platform's own JSON (TourCMS
// sends a query and XML), or are missing, it compares what the events say about the
// booking; what one of them does not say is not different.
func (r Registry) Differences(before, after webhook.Event) (all []webhook.Difference, more bool) {
	if len(before.Wire)+len(after.Wire) == 0 && len(before.Data) > 0 && len(after.Data) > 0 {
		all, more = webhook.Differences(before.Data, after.Data)
		return below("/data", all), more
	}
	p, ok := r.Get(after.Platform)
	if !ok || before.Platform != after.Platform {
		return nil, false
	}
	was, is := p.Booking(before), p.Booking(after)
	if was == nil || is == nil {
		return nil, false
	}
	was.Action, is.Action = "", "" // it is what the types of the events say
	all, more = webhook.Differences(EncodeJSON(was), EncodeJSON(is))
	all = slices.DeleteFunc(all, func(d webhook.Difference) bool { return d.Op != webhook.Replaced && !isEntry(d.Path) })
	return below("/booking", all), more
}

// isEntry reports whether a JSON pointer into a booking leads to an entry of a list.
func isEntry(path string) bool {
	last := path[strings.LastIndexByte(path, '/')+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func below(path string, all []webhook.Difference) []webhook.Difference {
	for i := range all {
		all[i].Path = path + all[i].Path
	}
	return all
}
