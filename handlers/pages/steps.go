package pages

import (
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// Bounds of what a draft stores. Each is above what a webhook may have, so what
// was truncated has a problem, and the rest of it stays to be corrected.
const (
	maxTyped = 4000                     // characters of a field
	maxIDs   = webhook.MaxFilterIDs + 1 // of a list
	maxRef   = webhook.MaxRefLength + 1 // characters of an id
	maxPaste = maxIDs * (maxRef + 1)    // characters of a pasted list as it is shown again
)

// readStep reads the form of a step into a draft, and nothing else.
func readStep(c *fiber.Ctx, step webhook.Step, d *webhook.Draft) {
	switch step {
	case webhook.StepType:
		d.Kind = webhook.Kind(typed(c, "type"))
		d.Concurrency, _ = strconv.Atoi(typed(c, "concurrency")) // what is no number is 0, and refused
		d.Ordered, d.Rate = typed(c, "ordered") == "1", readRate(c)
		if limit := typed(c, "time_limit"); limit != "" || d.Kind == webhook.Inline {
			d.TimeLimit, _ = strconv.Atoi(limit)
		}
	case webhook.StepName:
		d.Name, d.URL = typed(c, "name"), typed(c, "url")
		if d.Kind != webhook.Inline { // of which the form has no format
			d.Format = webhook.Format(typed(c, "format"))
		}
		d.Basic, d.Bare = readBasic(c, d.Basic), typed(c, "bare") == "1"
	case webhook.StepEvents:
		d.AllEvents, d.Events = typed(c, "all_events") == "1", boundIDs(web.FormValues(c, "events"))
	case webhook.StepChannels:
		d.Channels = readFilter(c, "channels")
	case webhook.StepTours:
		d.Tours = readFilter(c, "tours")
	}
}

// readRate reads how often a webhook may be called; no number is no limit, and
// what is no number is refused.
func readRate(c *fiber.Ctx) webhook.Rate {
	number := typed(c, "rate_requests")
	if number == "" {
		return webhook.Rate{}
	}
	requests, err := strconv.Atoi(number)
	if err != nil {
		requests = -1
	}
	return webhook.Rate{Requests: requests, Per: webhook.Period(typed(c, "rate_per"))}
}

// readBasic reads a value of Basic authentication. The form does not show it, so
// an empty field keeps the stored one.
func readBasic(c *fiber.Ctx, stored string) string {
	if text := typed(c, "basic_auth"); text != "" {
		value, _ := webhook.ReadBasic(text) // the draft says what is wrong
		return value
	}
	if typed(c, "basic_auth_off") == "1" {
		return ""
	}
	return stored
}

// readFilter reads a mode and ids, ticked and pasted. The ids are kept in every
// mode, so that going back to another mode finds them again.
func readFilter(c *fiber.Ctx, field string) webhook.Filter {
	ids := append(web.FormValues(c, field), splitIDs(web.FormValue(c, field+"_paste"))...)
	slices.Sort(ids)
	return webhook.Filter{Mode: webhook.Mode(typed(c, field+"_mode")), IDs: boundIDs(slices.Compact(ids))}
}

// splitIDs takes a pasted list apart; no id has white space or a comma in it.
func splitIDs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0,;", r) })
}

func boundIDs(ids []string) []string {
	ids = ids[:min(len(ids), maxIDs)]
	for i, id := range ids {
		ids[i] = webhook.Truncate(id, maxRef)
	}
	return ids
}

// typed is a field as it is stored.
func typed(c *fiber.Ctx, name string) string {
	return webhook.Truncate(strings.TrimSpace(web.FormValue(c, name)), maxTyped)
}
