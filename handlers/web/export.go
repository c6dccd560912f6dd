package web

import (
	"bytes"
	"context"
	"encoding/csv"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

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
	// BOM says that a byte order mark goes first, without which Excel does not read
	// UTF-8. For programs it would be a part of the first column's name.
	BOM bool
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
	lines  *csv.Writer
	last   bool
}

func newExportReader(ctx context.Context, e Export, conn net.Conn, ended func()) *exportReader {
	r := &exportReader{export: e, ctx: ctx, conn: conn, ended: ended}
	if e.BOM {
		r.buffer.WriteString("\uFEFF")
	}
	r.lines = csv.NewWriter(&r.buffer)
	r.lines.UseCRLF = true
	r.write(e.Columns)
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
	r.write(rows...)
	return r.conn.SetWriteDeadline(time.Now().Add(exportWriteTimeout))
}

// write writes rows into the buffer, where writing cannot fail.
func (r *exportReader) write(rows ...[]string) {
	for _, row := range rows {
		for i := range row {
			row[i] = defuse(row[i])
		}
		_ = r.lines.Write(row)
	}
	r.lines.Flush()
}

// Close implements io.Closer; it is called when the response ended, however it did.
func (r *exportReader) Close() error {
	r.ended()
	return nil
}

// afterSemicolon defuses what begins a formula after a semicolon: where that separates
// cells (Excel in most of Europe), it begins one, whatever quotes are around.
var afterSemicolon = strings.NewReplacer(";=", ";'=", ";+", ";'+", ";-", ";'-", ";@", ";'@")

// defuse returns a cell so that no spreadsheet runs it as a formula: with an apostrophe
// before what begins one (OWASP, CSV injection).
func defuse(cell string) string {
	if cell != "" && (strings.ContainsRune("=+-@\t\r\n", rune(cell[0])) || strings.HasPrefix(cell, "＝") ||
		strings.HasPrefix(cell, "＋") || strings.HasPrefix(cell, "－") || strings.HasPrefix(cell, "＠")) {
		cell = "'" + cell
	}
	return afterSemicolon.Replace(cell)
}
