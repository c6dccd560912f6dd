package web

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// A form with a large file is read as it arrives: no more of it is in memory than a
// buffer, and what its handler keeps.
const (
	partsBuffer   = 2*webhook.UploadBlock + 64<<10 // bytes of the budget that a form takes while it is read: a block that arrives, one that is stored
	maxParts      = 20
	maxPartHeader = 16 << 10  // bytes of a part's header, which is in memory as a whole
	maxField      = 4 << 10   // bytes of a part that [Part.Text] reads
	partsRest     = 256 << 10 // bytes beside the file
)

// Part is one field of a form, or a file in it.
type Part struct {
	Field string
	File  string // its name; "" for a field
	Body  io.Reader
}

// Text reads the part as a short text; what is longer is cut off.
func (p Part) Text() (string, error) {
	text, err := io.ReadAll(io.LimitReader(p.Body, maxField))
	return string(text), err
}

// TooLarge reports whether a body was refused because it is too large.
func TooLarge(err error) bool {
	p, ok := errors.AsType[*Problem](err)
	return ok && p.Status == http.StatusRequestEntityTooLarge
}

// ReadParts receives a multipart form of which the files have at most limit bytes, and
// calls do for each part as it arrives, in their order. Another form is taken as a
// whole, with its fields as parts; it may have MaxForm bytes. The error is that of do, or
// a [Problem] as in [Server.TakeBody].
func (s *Server) ReadParts(c *fiber.Ctx, limit int, do func(Part) error) error {
	b, ok := c.Locals(bodyKey).(*body)
	if !ok || !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return s.readFields(c, do)
	}
	from, err := s.streamBody(c, b, limit+partsRest)
	if err != nil {
		return err
	}
	parts := multipart.NewReader(from, string(c.Request().Header.MultipartFormBoundary()))
	for range maxParts {
		from.left = maxPartHeader
		part, err := parts.NextRawPart()
		from.left = from.limit
		if errors.Is(err, io.EOF) {
			_, err = io.Copy(io.Discard, from) // so that the next request can follow
			return err
		}
		if err != nil {
			return from.failed(err)
		}
		err = do(Part{Field: part.FormName(), File: part.FileName(), Body: part})
		if err == nil {
			_, err = io.Copy(io.Discard, part)
		}
		if from.err != nil {
			return from.failed(from.err)
		}
		if err != nil {
			return err
		}
	}
	return Malformed("The form has too many fields.")
}

// readFields reads a form that is no multipart form.
func (s *Server) readFields(c *fiber.Ctx, do func(Part) error) error {
	if err := s.TakeBody(c, MaxForm); err != nil {
		return err
	}
	for key, value := range c.Request().PostArgs().All() {
		if err := do(Part{Field: string(key), Body: bytes.NewReader(value)}); err != nil {
			return err
		}
	}
	return nil
}

// streamBody lets a body be read as it arrives. It takes a buffer of the budget, which
// holdBody gives back.
func (s *Server) streamBody(c *fiber.Ctx, b *body, limit int) (*bodyReader, error) {
	if err := s.admit(c, b, limit); err != nil {
		return nil, err
	}
	if !s.bodies.take(b.sender, partsBuffer) {
		return nil, busy()
	}
	b.size += partsBuffer
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), 2*RequestTimeout) // to receive it, and to handle it
	c.SetUserContext(ctx)
	b.cancel = cancel
	return &bodyReader{body: b, limit: limit}, nil
}

// bodyReader reads a body as it arrives.
type bodyReader struct {
	*body
	limit, read int
	left        int   // bytes that the header of a part may still have
	err         error // why it cannot be read further; nil at its end
}

// Read implements io.Reader.
func (r *bodyReader) Read(to []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if r.ended {
		return 0, io.EOF
	}
	n, err := r.stream.Read(to)
	r.read, r.left = r.read+n, r.left-n
	switch r.ended = errors.Is(err, io.EOF); {
	case r.read > r.limit:
		r.err = tooLarge(r.limit)
	case r.left < 0:
		r.err = Malformed("The header of a field is too long.")
	case r.ended && r.read < r.length:
		r.err = unreadable(nil)
	case err != nil && !r.ended:
		r.err = unreadable(err)
	case r.ended:
		return n, io.EOF
	}
	return n, r.err
}

// failed is why a form could not be read.
func (r *bodyReader) failed(err error) error {
	if r.err != nil {
		return r.err
	}
	p := Malformed("This is not a multipart form.")
	p.Cause = err
	return p
}
