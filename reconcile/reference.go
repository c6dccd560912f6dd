package reconcile

import (
	"slices"
	"strings"
	"unicode"

	"bookhook/webhook"
)

// Clean returns the reference that a cell means: without spaces around it, a # before
// it, and what spreadsheets put around a text or behind a number ('1234, ="1234",
// 1234.0). A cell that is too long for a reference stays as it is, without spaces around
// it: each round of what is below takes longer, and there may be thousands.
func Clean(cell string) string {
	if cell = strings.TrimFunc(cell, isBlank); len(cell) > maxSampled {
		return cell
	}
	for {
		text := strings.TrimFunc(cell, isBlank)
		if inside, ok := strings.CutPrefix(text, `="`); ok && strings.HasSuffix(inside, `"`) {
			text = strings.TrimSuffix(inside, `"`)
		}
		text = strings.TrimLeft(text, "#'")
		if number, zeros, ok := strings.Cut(text, "."); ok && digits(number) && zeros != "" && strings.Trim(zeros, "0") == "" {
			text = number
		}
		if text == cell {
			return text
		}
		cell = text
	}
}

// isBlank reports whether a character is white space, or none that can be seen.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r == '\ufeff' || r == '\u200b'
}

func digits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// Key returns what all spellings of a reference share: with or without #, with spaces
// in it or without, in capitals or small letters.
func Key(reference string) string {
	return strings.ToUpper(squeeze(Clean(reference)))
}

// squeeze removes the spaces in a text.
func squeeze(text string) string {
	return strings.Map(func(r rune) rune {
		if isBlank(r) {
			return -1
		}
		return r
	}, text)
}

// spellings returns a reference as the log may have it: an index finds what is spelled
// alike.
func spellings(reference string) (all []string) {
	text := Clean(reference)
	for _, text := range []string{text, squeeze(text), "#" + text} {
		for _, spelling := range []string{text, strings.ToUpper(text), strings.ToLower(text)} {
			if spelling != "" && spelling != "#" && !slices.Contains(all, spelling) {
				all = append(all, spelling)
			}
		}
	}
	return all
}

// isReference reports whether a cleaned cell can be the reference of a booking.
func isReference(text string) bool { return text != "" && webhook.CheckRef(text).IsZero() }
