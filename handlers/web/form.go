package web

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// FormValue is the first value of a form field, "" when there is none. What is in
// the address is not part of a form; a form in parts is read by [UploadedText].
func FormValue(c *fiber.Ctx, name string) string {
	return string(c.Request().PostArgs().Peek(name))
}

// FormValues are all values of a form field, in order.
func FormValues(c *fiber.Ctx, name string) []string {
	var values []string
	for _, value := range c.Request().PostArgs().PeekMulti(name) {
		values = append(values, string(value))
	}
	return values
}

// UploadedText is the file of a form in parts, or if there is none the text that
// was typed, whether the form came in parts or not.
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

// IDParam is the id in the path, such as /webhooks/:id. It returns
// webhook.ErrNotFound if it is not an id of this kind.
func IDParam[I any, P idPointer[I]](c *fiber.Ctx) (id I, err error) {
	err = P(&id).UnmarshalText([]byte(c.Params("id")))
	return id, err
}

// IDQuery is an id in the query; zero if it is missing. It returns
// webhook.ErrNotFound if it is not an id of this kind.
func IDQuery[I any, P idPointer[I]](c *fiber.Ctx, name string) (id I, err error) {
	err = P(&id).UnmarshalText([]byte(c.Query(name)))
	return id, err
}

type idPointer[I any] interface {
	*I
	encoding.TextUnmarshaler
}

// SendJSON answers with JSON that people can read too: & is not written as
// \u0026. The value is one that always encodes.
func SendJSON(c *fiber.Ctx, status int, value any) error {
	return send(c, status, fiber.MIMEApplicationJSON, value)
}

// SendProblem answers with a problem document (RFC 9457).
func SendProblem(c *fiber.Ctx, p *Problem) error {
	return send(c, p.Status, "application/problem+json", p)
}

func send(c *fiber.Ctx, status int, contentType string, value any) error {
	c.Status(status)
	c.Set(fiber.HeaderContentType, contentType)
	encoder := json.NewEncoder(c.Response().BodyWriter())
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	c.Response().SetBodyRaw(bytes.TrimSuffix(c.Response().Body(), []byte("\n")))
	return nil
}

// Prefetched reports whether the answer to a GET may never be seen: browsers fetch
// pages ahead of the click.
func Prefetched(c *fiber.Ctx) bool {
	return c.Method() == http.MethodHead || c.Get("Purpose") == "prefetch" || strings.Contains(c.Get("Sec-Purpose"), "prefetch")
}
