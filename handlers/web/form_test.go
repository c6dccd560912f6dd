package web

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// TestResponsesDoNotMix: no other response is written to the memory of one that was
// not sent yet.
func TestResponsesDoNotMix(t *testing.T) {
	t.Parallel()
	s, err := NewServer("", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	f := s.App(Hooks{})
	f.Get("/", func(c *fiber.Ctx) error {
		err := SendJSON(c, http.StatusOK, "mine")
		for range 100 {
			new(fasthttp.Response).SetBodyString("others")
		}
		return err
	})
	response, err := f.Test(httptest.NewRequest(http.MethodGet, "/", nil))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if text, err := io.ReadAll(response.Body); err != nil || string(text) != `"mine"` {
		t.Errorf("got %s, %v", text, err)
	}
}
