package reconcile

import (
	"bufio"
	"compress/flate"
	"context"
	"encoding/xml"
	"errors"
	"io"
)

// xmlKind is a kind of token.
type xmlKind int

const (
	xmlStart xmlKind = iota + 1
	xmlEnd
	xmlText
)

// maxDepth is how deep elements may be within each other.
const maxDepth = 32

// maxElements is how many elements a part may have: 256 MiB of empty cells are 60 million.
// A sheet of 300,000 rows with 15 cells each has 9 million.
const maxElements = 12_000_000

// maxToken is how many bytes a text, tag or comment may have, which is in memory as a
// whole.
const maxToken = 1 << 20

// xmlReader reads XML by its tokens, with the names of the elements around each.
type xmlReader struct {
	from    *tokenReader
	decoder *xml.Decoder
	around  []string
	count   int // elements that began
	start   xml.StartElement
	text    []byte // of a text; valid until the next token
	err     error
}

// newXMLReader returns a reader that ends with an error when ctx ends.
func newXMLReader(ctx context.Context, r io.Reader) *xmlReader {
	from := &tokenReader{from: r, ended: ctx.Err}
	d := xml.NewDecoder(bufio.NewReaderSize(from, sampled))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &xmlReader{from: from, decoder: d}
}

// tokenReader ends the reading of a token that is too long, and all reading when nobody
// waits for it.
type tokenReader struct {
	from  io.Reader
	ended func() error // why, or nil
	read  int          // since the token began
}

// Read implements io.Reader.
func (t *tokenReader) Read(to []byte) (int, error) {
	if t.read > maxToken {
		return 0, problem("reconcile.large_sheet")
	}
	if err := t.ended(); err != nil {
		return 0, err
	}
	n, err := t.from.Read(to)
	t.read += n
	return n, err
}

// next reads the next token. The name is that of the element, without its prefix.
func (x *xmlReader) next() (kind xmlKind, name string) {
	for {
		var token xml.Token
		x.from.read = 0
		if token, x.err = x.decoder.RawToken(); x.err != nil {
			return 0, ""
		}
		switch token := token.(type) {
		case xml.StartElement:
			if len(x.around) == maxDepth {
				x.err = problem("reconcile.broken")
				return 0, ""
			}
			if x.count++; x.count > maxElements {
				x.err = problem("reconcile.large_sheet")
				return 0, ""
			}
			x.start = token
			x.around = append(x.around, token.Name.Local)
			return xmlStart, token.Name.Local
		case xml.EndElement:
			if len(x.around) > 0 {
				x.around = x.around[:len(x.around)-1]
			}
			return xmlEnd, token.Name.Local
		case xml.CharData:
			x.text = token
			return xmlText, ""
		}
	}
}

// within reports whether the token is directly within an element.
func (x *xmlReader) within(name string) bool {
	return len(x.around) > 0 && x.around[len(x.around)-1] == name
}

// inside reports whether any element around the token is of that name.
func (x *xmlReader) inside(name string) bool {
	for _, other := range x.around {
		if other == name {
			return true
		}
	}
	return false
}

// attribute returns an attribute of the element that begins.
func (x *xmlReader) attribute(name string) string {
	for _, a := range x.start.Attr {
		if a.Name.Local == name && a.Name.Space == "" {
			return a.Value
		}
	}
	return ""
}

// problem is why there is no further token: nil at the end.
func (x *xmlReader) problem() error {
	if errors.Is(x.err, io.EOF) && len(x.around) == 0 {
		return nil
	}
	return unpacked(x.err)
}

// isCorrupt reports whether what was compressed cannot be unpacked.
func isCorrupt(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt
}
