package pages

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/webhook"
)

// Limits of what a draft stores. Each is above what a webhook may have, so that a
// truncated value still has a problem, and can be corrected.
const (
	maxTyped = 4000                     // characters of a field
	maxIDs   = webhook.MaxFilterIDs + 1 // of a list
	maxRef   = webhook.MaxRefLength + 1 // characters of an id
	maxPaste = maxIDs * (maxRef + 1)    // characters of a pasted list as it is shown again
)

// readConfig reads the posted form of a step into a draft: the fields of Config that
// are tagged with the step, by their JSON names. A field whose name was not posted
// stays as it is; a checkbox is posted with a hidden 0 before it, a list with a
// hidden empty value.
func readConfig(c *fiber.Ctx, step webhook.Step, d *webhook.Draft) {
	v := reflect.ValueOf(&d.Config).Elem()
	for i := range v.NumField() {
		tag := v.Type().Field(i).Tag
		if webhook.Step(tag.Get("step")) != step {
			continue
		}
		name, _, _ := strings.Cut(tag.Get("json"), ",")
		readField(c, name, v.Field(i).Addr())
	}
	if step == webhook.StepName && (d.Basic == "" || typed(c, "basic") != "") { // not a stored one
		d.SetBasic(d.Basic)
	}
}

func readField(c *fiber.Ctx, name string, field reflect.Value) {
	switch to := field.Interface().(type) {
	case *webhook.Filter:
		if posted(c, name+"_mode") {
			*to = readFilter(c, name, to.IDs)
		}
		return
	case *webhook.Rate:
		if posted(c, name+"_requests") {
			*to = readRate(c, name)
		}
		return
	}
	if !posted(c, name) {
		return
	}
	switch to := field.Interface().(type) {
	case *bool:
		values := web.FormValues(c, name)
		*to = values[len(values)-1] == "1"
	case *int:
		*to, _ = strconv.Atoi(typed(c, name)) // what is not a number is 0, and refused
	case *[]string:
		*to = boundIDs(web.FormValues(c, name))
	default: // any string type
		if name == "basic" {
			field.Elem().SetString(readBasic(c, name, field.Elem().String()))
			return
		}
		field.Elem().SetString(typed(c, name))
	}
}

func posted(c *fiber.Ctx, name string) bool { return c.Request().PostArgs().Has(name) }

// readRate reads the rate limit; an empty field is no limit, and what is not a
// number is refused.
func readRate(c *fiber.Ctx, name string) webhook.Rate {
	number := typed(c, name+"_requests")
	if number == "" {
		return webhook.Rate{}
	}
	requests, err := strconv.Atoi(number)
	if err != nil {
		requests = -1
	}
	return webhook.Rate{Requests: requests, Per: webhook.Period(typed(c, name+"_per"))}
}

// readBasic reads a value of Basic authentication. The form does not show it, so
// an empty field keeps the stored one.
func readBasic(c *fiber.Ctx, name, stored string) string {
	if text := typed(c, name); text != "" {
		value, _ := webhook.ReadBasic(text) // the draft says what is wrong
		return value
	}
	if typed(c, name+"_off") == "1" {
		return ""
	}
	return stored
}

// readFilter reads a mode and ids, ticked and pasted. The ids are kept in every
// mode, so that they are still there if the mode is changed back. If the form showed
// only some to tick, the others that were selected before stay selected.
func readFilter(c *fiber.Ctx, name string, before []string) webhook.Filter {
	ids := append(web.FormValues(c, name), splitIDs(web.FormValue(c, name+"_paste"))...)
	if posted(c, name+"_shown") {
		shown := splitIDs(web.FormValue(c, name+"_shown"))
		slices.Sort(shown)
		for _, id := range before {
			if _, was := slices.BinarySearch(shown, id); !was {
				ids = append(ids, id)
			}
		}
	}
	slices.Sort(ids)
	return webhook.Filter{Mode: webhook.Mode(typed(c, name+"_mode")), IDs: boundIDs(slices.Compact(ids))}
}

// splitIDs splits a pasted list; no id has white space or a comma in it.
func splitIDs(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(" \t\r\n\u00a0,;", r) })
}

func boundIDs(ids []string) []string {
	ids = slices.DeleteFunc(ids, func(id string) bool { return id == "" })
	ids = ids[:min(len(ids), maxIDs)]
	for i, id := range ids {
		ids[i] = webhook.Truncate(id, maxRef)
	}
	return ids
}

// typed returns a field as a draft stores it.
func typed(c *fiber.Ctx, name string) string {
	return webhook.Truncate(strings.TrimSpace(web.FormValue(c, name)), maxTyped)
}
