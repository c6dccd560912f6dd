package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// FormValue returns the first value of a form field, "" if there is none. The query
// is not part of a form. Multipart forms are read by [UploadedText].
func FormValue(c *fiber.Ctx, name string) string {
	return string(c.Request().PostArgs().Peek(name))
}

// FormValues returns all values of a form field, in order.
func FormValues(c *fiber.Ctx, name string) []string {
	var values []string
	for _, value := range c.Request().PostArgs().PeekMulti(name) {
		values = append(values, string(value))
	}
	return values
}

// UploadedText returns the uploaded file of a multipart form or, if there is none,
// the text that was typed, in a multipart form or another.
func UploadedText(c *fiber.Ctx, fileField, textField string) (string, error) {
	if !strings.HasPrefix(c.Get(fiber.HeaderContentType), fiber.MIMEMultipartForm) {
		return FormValue(c, textField), nil
	}
	parts, err := c.MultipartForm()
	if err != nil {
		return "", fiber.ErrBadRequest
	}
	if files := parts.File[fileField]; len(files) > 0 && files[0].Size > 0 {
		return readUpload(files[0])
	}
	return strings.Join(parts.Value[textField], "\n"), nil
}

func readUpload(header *multipart.FileHeader) (string, error) {
	file, err := header.Open()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", err
	}
	return string(text), nil
}

// IDParam returns the id in the path, such as /webhooks/:id. It returns
// webhook.ErrNotFound if it is not an id of this kind.
func IDParam[I any, P idPointer[I]](c *fiber.Ctx) (id I, err error) {
	err = P(&id).UnmarshalText([]byte(c.Params("id")))
	return id, err
}

// RefParam returns a reference of the booking system in the path, which may have any
// characters. It returns webhook.ErrNotFound if it is none.
func RefParam(c *fiber.Ctx, name string) (string, error) {
	reference, err := url.PathUnescape(c.Params(name))
	if err != nil || !webhook.CheckRef(reference).IsZero() {
		return "", webhook.ErrNotFound
	}
	return reference, nil
}

// IDQuery returns an id in the query; zero if it is missing. It returns
// webhook.ErrNotFound if it is not an id of this kind.
func IDQuery[I any, P idPointer[I]](c *fiber.Ctx, name string) (id I, err error) {
	err = P(&id).UnmarshalText([]byte(c.Query(name)))
	return id, err
}

type idPointer[I any] interface {
	*I
	encoding.TextUnmarshaler
}

// SendJSON sends JSON that people can read, too: & is not escaped as \u0026. The
// value must be one that always encodes.
func SendJSON(c *fiber.Ctx, status int, value any) error {
	return send(c, status, fiber.MIMEApplicationJSON, value)
}

// SendProblem sends a problem document (RFC 9457).
func SendProblem(c *fiber.Ctx, p *Problem) error {
	return send(c, p.Status, "application/problem+json", p)
}

func send(c *fiber.Ctx, status int, contentType string, value any) error {
	c.Status(status)
	c.Set(fiber.HeaderContentType, contentType)
	var text bytes.Buffer // not the body's own, which fasthttp gives to others as soon as another is set
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	c.Response().SetBodyRaw(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	if c.Method() != http.MethodPost { // not the responses to events: there are many, and most are small
		Compress(c)
	}
	return nil
}

// SendBytes sends a file or a text as it is.
func SendBytes(c *fiber.Ctx, contentType string, body []byte) error {
	c.Set(fiber.HeaderContentType, contentType)
	c.Response().SetBodyRaw(body)
	Compress(c)
	return nil
}

// Prefetched reports whether a browser requests a page before the user opens it, so
// that the response may never be seen.
func Prefetched(c *fiber.Ctx) bool {
	return c.Method() == http.MethodHead || c.Get("Purpose") == "prefetch" || strings.Contains(c.Get("Sec-Purpose"), "prefetch")
}
