package web

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/spreadsheet"
	"bookhook/webhook"
)

// Bounds of exports.
const (
	ExportRows         = 200 // that are read at once
	maxExports         = 32  // that are under way
	maxExportsAccount  = 2   // of one account
	exportPageTimeout  = RequestTimeout
	exportWriteTimeout = 2 * RequestTimeout // for what one read brought
)

// Export is a list as CSV (RFC 4180), read page by page as the client takes it.
type Export struct {
	Name    string   // of the file, without its ending
	Columns []string // the first line
	// Next returns the next rows, and whether there are more.
	Next func(ctx context.Context) (rows [][]string, more bool, err error)
	BOM  bool // spreadsheet.BOM goes first
}

// SendExport streams an export. Neither the list nor the response is ever in memory as
// a whole, and no transaction lasts longer than a page. It ends when the client goes
// away or takes nothing for a minute. If a page cannot be read, the response is cut off,
// so that the client can tell. The error is a [Problem] with status 429 if too many are
// under way.
func (s *Server) SendExport(c *fiber.Ctx, e Export) error {
	account, _ := c.Locals(accountKey).(webhook.AccountID)
	end := s.exports.Take(account)
	if end == nil {
		c.Set(fiber.HeaderRetryAfter, "30")
		return &Problem{
			Type: "export-limit", Title: "Other exports are under way", Status: http.StatusTooManyRequests,
			Detail:  "At most " + strconv.Itoa(maxExportsAccount) + " exports of an account are sent at once. Wait until one has ended, then try again.",
			Meaning: "Nothing was exported.", Next: "Wait until the other download has ended, then try again.",
		}
	}
	c.Set(fiber.HeaderContentType, "text/csv")
	c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+e.Name+`.csv"`)
	c.Context().Response.SetBodyStream(newExportReader(context.WithoutCancel(c.UserContext()), e, c.Context().Conn(), end), -1)
	return nil
}

// exportReader is the body of an export. It is read by the goroutine that writes to
// the connection, so the list is read no faster than it is sent.
type exportReader struct {
	export Export
	ctx    context.Context //nolint:containedctx // of the stream, which outlives the handler
	conn   net.Conn
	ended  func()
	buffer bytes.Buffer
	lines  spreadsheet.Writer
	last   bool
}

func newExportReader(ctx context.Context, e Export, conn net.Conn, ended func()) *exportReader {
	r := &exportReader{export: e, ctx: ctx, conn: conn, ended: ended}
	if e.BOM {
		r.buffer.WriteString(spreadsheet.BOM)
	}
	r.lines = spreadsheet.NewWriter(&r.buffer)
	r.lines.Write(slices.Clone(e.Columns))
	return r
}

// Read implements io.Reader.
func (r *exportReader) Read(to []byte) (int, error) {
	for r.buffer.Len() == 0 {
		if r.last {
			return 0, io.EOF
		}
		if err := r.readPage(); err != nil {
			return 0, err
		}
	}
	return r.buffer.Read(to)
}

func (r *exportReader) readPage() error {
	ctx, cancel := context.WithTimeout(r.ctx, exportPageTimeout)
	defer cancel()
	rows, more, err := r.export.Next(ctx)
	if err != nil {
		return err
	}
	r.last = !more
	r.lines.Write(rows...)
	return r.conn.SetWriteDeadline(time.Now().Add(exportWriteTimeout))
}

// Close implements io.Closer; it is called when the response ended, however it did.
func (r *exportReader) Close() error {
	r.ended()
	return nil
}
