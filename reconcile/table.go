package reconcile

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"

	"bookhook/webhook"
)

// Bounds of a table.
const (
	maxColumns = 100             // more are not looked at
	maxCell    = 32 << 10        // bytes of a cell, as many as spreadsheets have
	maxCells   = webhook.MaxHeld // cells of a row, which may be the whole list
)

// table is a list as rows of cells.
type table interface {
	// each calls do for each row that is not blank, until do returns an error, which it
	// returns, too; errEnough ends it without one. The cells are valid until do returns.
	// It ends when ctx does.
	each(ctx context.Context, do func(cells []string) error) error
}

// errEnough says that no more rows are wanted.
var errEnough = errors.New("enough")

// problem is what is wrong with a list.
func problem(code string, args ...any) error {
	return webhook.Invalid{"file": webhook.NewMessage(code, args...)}
}

// openTable recognises what kind of list it is. It returns webhook.Invalid with the
// field "file" for one that is not read.
func openTable(ctx context.Context, r *io.SectionReader) (table, error) {
	head := make([]byte, min(r.Size(), 4<<10))
	if _, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	switch start := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))); {
	case len(start) == 0:
		return nil, problem("reconcile.empty")
	case bytes.HasPrefix(head, []byte("PK\x03\x04")), bytes.HasPrefix(head, []byte("PK\x05\x06")):
		return openArchive(ctx, r)
	case bytes.HasPrefix(head, []byte("\xd0\xcf\x11\xe0")):
		return nil, problem("reconcile.xls")
	case bytes.HasPrefix(start, []byte("%pdf")), bytes.HasPrefix(start, []byte("{\\rtf")):
		return nil, problem("reconcile.other_file")
	case bytes.HasPrefix(start, []byte("<")):
		return nil, problem("reconcile.markup")
	}
	return openText(r, head)
}

// openArchive opens what is stored as a zip archive.
func openArchive(ctx context.Context, r *io.SectionReader) (table, error) {
	archive, err := zip.NewReader(r, r.Size())
	switch {
	case errors.Is(err, zip.ErrFormat), errors.Is(err, zip.ErrAlgorithm), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, problem("reconcile.broken")
	case err != nil:
		return nil, err
	}
	for _, f := range archive.File {
		switch f.Name {
		case "xl/workbook.xml":
			return openBook(ctx, archive)
		case "content.xml", "Index/Document.iwa": // LibreOffice, Numbers
			return nil, problem("reconcile.ods")
		}
	}
	return nil, problem("reconcile.other_file")
}
