package web

import (
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Head is what a request says before its body.
type Head struct {
	Method      string
	Path        string // as it came
	Query       string // as it came, without the question mark
	ContentType string
}

// HeadOf returns the head of a request that was refused because its body is too
// large, although fasthttp has forgotten it if the body came in chunks. Path is
// "" if it is not known. It must be called once for a request.
func (s *Server) HeadOf(c *fiber.Ctx) Head {
	if head, ok := s.heads.take(c); ok {
		return head
	}
	if Unread(c) && len(c.Request().Header.Host()) == 0 {
		return Head{}
	}
	return Head{
		Method: c.Method(), Path: c.Path(), Query: string(c.Request().URI().QueryString()), ContentType: c.Get(fiber.HeaderContentType),
	}
}

// heads remembers the heads of requests under a path of which the body comes in
// chunks. When that turns out too large, fasthttp has forgotten whose the request
// was.
type heads struct {
	under string // the path
	mu    sync.Mutex
	known map[*fasthttp.RequestHeader]Head
}

// maxHeads bounds what is remembered; beyond it all is dropped.
const maxHeads = 1000

// remember is called when a header was read.
func (h *heads) remember(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, query, _ := strings.Cut(string(header.RequestURI()), "?")
	if inChunks := header.ContentLength() == -1; !inChunks || !strings.HasPrefix(path, h.under) {
		return fasthttp.RequestConfig{}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.known == nil || len(h.known) >= maxHeads {
		h.known = map[*fasthttp.RequestHeader]Head{}
	}
	h.known[header] = Head{Method: string(header.Method()), Path: path, Query: query, ContentType: string(header.ContentType())}
	return fasthttp.RequestConfig{}
}

// take drops the head of a request and returns it.
func (h *heads) take(c *fiber.Ctx) (Head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	head, ok := h.known[&c.Request().Header]
	delete(h.known, &c.Request().Header)
	return head, ok
}
