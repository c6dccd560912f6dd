package webhook

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// CheckXML says what is wrong with an XML document that others wrote; "" when it
// is well-formed, in UTF-8, without a DOCTYPE and so without entities of its own,
// and not nested deeper than MaxInboundDepth.
func CheckXML(text string) string {
	if !utf8.ValidString(text) {
		return "Send the document in UTF-8."
	}
	decoder := xml.NewDecoder(strings.NewReader(text))
	roots, depth := 0, 0
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) && roots == 1 {
			return ""
		}
		if errors.Is(err, io.EOF) {
			return "There is no XML document here; send one, such as <response>…</response>."
		}
		if err != nil {
			return fmt.Sprintf("This is not well-formed XML: %s.", strings.TrimPrefix(err.Error(), "XML syntax error "))
		}
		switch token := token.(type) {
		case xml.Directive:
			return "Leave out the DOCTYPE and its entities; they are never read."
		case xml.StartElement:
			if depth++; depth == 1 {
				roots++
			}
			if problem := checkElement(token, depth, roots); problem != "" {
				return problem
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(token)) != "" {
				return "There is text outside of the document’s root element."
			}
		}
	}
}

func checkElement(e xml.StartElement, depth, roots int) string {
	switch {
	case depth > MaxInboundDepth:
		return fmt.Sprintf("Elements may stand inside each other at most %d deep.", MaxInboundDepth)
	case roots > 1:
		return "A document has one root element; this one has several."
	case depth == 2 && e.Name.Local == "signed":
		return "Leave out the signed block; Bookhook signs the document."
	}
	return ""
}
