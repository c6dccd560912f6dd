package web

import (
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// Head is what is known of a request without its body.
type Head struct {
	Method      string
	Path        string // as sent
	Query       string // as sent, without the question mark
	ContentType string
}

// HeadOf returns the head of a request that was refused because its body is too
// large, also if the body was chunked and fasthttp has dropped the head. Path is ""
// if it is not known. It must be called only once for a request.
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

// heads remembers the heads of requests to some paths that have a chunked body: if
// the body turns out too large, fasthttp drops them.
type heads struct {
	keep  func(path string) bool
	mu    sync.Mutex
	known map[*fasthttp.RequestHeader]Head
}

// maxHeads is how many heads are remembered; beyond it all are dropped.
const maxHeads = 1000

// remember is called by fasthttp when it has read a header.
func (h *heads) remember(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, query, _ := strings.Cut(string(header.RequestURI()), "?")
	if inChunks := header.ContentLength() == -1; !inChunks || !h.keep(path) {
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

// take removes the head of a request and returns it.
func (h *heads) take(c *fiber.Ctx) (Head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	head, ok := h.known[&c.Request().Header]
	delete(h.known, &c.Request().Header)
	return head, ok
}
