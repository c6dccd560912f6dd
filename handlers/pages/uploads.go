package pages

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"bookhook/handlers/web"
	"bookhook/views"
	"bookhook/webhook"
)

// maxFileName is how many characters of a file's name are kept.
const maxFileName = 100

// upload is a form with a list, as it was read.
type upload struct {
	*Pages
	c      *fiber.Ctx
	fields map[string]string
	typed  string // the list that was pasted, if it fits into one block
	stored webhook.Upload
}

// AddUpload stores a list that was pasted or uploaded. If its column is clear, it is
// compared at once; otherwise the column is chosen next.
func (pg *Pages) AddUpload(c *fiber.Ctx) error {
	u := upload{Pages: pg, c: c, fields: map[string]string{}}
	err := pg.Server.ReadParts(c, webhook.MaxUpload, u.part)
	form := u.form()
	switch {
	case web.TooLarge(err):
		return u.refuse(form, webhook.Invalid{"file": webhook.NewMessage("reconcile.too_large", webhook.MaxUpload>>20)})
	case err != nil:
		return errors.Join(err, u.drop())
	case u.stored.ID == 0:
		return pg.showUploadForm(c, form, webhook.Invalid{"text": webhook.NewMessage("reconcile.nothing")})
	}
	columns, err := pg.Reconciler.Inspect(c.UserContext(), u.stored)
	if _, busy := errors.AsType[webhook.LimitReached](err); busy {
		return c.Redirect(form.Href(u.stored.ID), http.StatusSeeOther) // which says so, and can be opened again
	}
	problems, err := invalid(err)
	if err != nil {
		return err
	}
	if len(problems) > 0 {
		return u.refuse(form, problems)
	}
	h, err := pg.hooks(c.UserContext(), u.stored.Account)
	if err != nil {
		return err
	}
	f := pg.readColumns(c, h, u.field, columns)
	if len(columns.All) > 1 || len(f.problems) > 0 {
		return c.Redirect(form.Href(u.stored.ID), http.StatusSeeOther)
	}
	return pg.compare(c, h, u.stored, columns, f)
}

func (u *upload) field(name string) string { return u.fields[name] }

// form is what was typed.
func (u *upload) form() views.UploadForm {
	return views.UploadForm{Webhook: u.fields["webhook_id"], Period: views.Period{Since: u.fields["since"], Until: u.fields["until"]}, Text: u.typed}
}

// part takes a part of the form. A file replaces what was pasted.
func (u *upload) part(p web.Part) (err error) {
	switch p.Field {
	case "webhook_id", "since", "until":
		u.fields[p.Field], err = p.Text()
		return err
	case "text", "file":
		return u.store(p)
	}
	return nil
}

// store stores a list as it arrives, a block at a time.
func (u *upload) store(p web.Part) error {
	block := make([]byte, webhook.UploadBlock)
	n, err := fill(p.Body, block)
	if err != nil || len(bytes.TrimSpace(block[:n])) == 0 && n < len(block) {
		return err
	}
	if err := u.drop(); err != nil {
		return err
	}
	v, ctx := currentUser(u.c), u.c.UserContext()
	stored, err := u.Store.AddUpload(ctx, webhook.Upload{Account: v.Account.ID, Name: fileName(p.File), Created: v.change()})
	if err != nil {
		return err
	}
	u.stored = stored
	if p.Field == "text" && n < len(block) {
		u.typed = string(bytes.ToValidUTF8(block[:n], []byte("\uFFFD")))
	}
	size := 0
	for number := 0; n > 0; number++ {
		if size += n; size > webhook.MaxUpload {
			return &web.Problem{Status: http.StatusRequestEntityTooLarge}
		}
		if err := u.Store.AddUploadBlock(ctx, stored.Account, stored.ID, number, bytes.Clone(block[:n])); err != nil {
			return err
		}
		if n, err = fill(p.Body, block); err != nil {
			return err
		}
	}
	u.stored, err = u.Store.CompleteUpload(ctx, stored.Account, stored.ID)
	return err
}

// fill reads until the block is full or the part ends.
func fill(r io.Reader, block []byte) (int, error) {
	n, err := io.ReadFull(r, block)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// fileName is the name of a file without its folder.
func fileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, ""), `\`, "/"))
	if name == "." || name == "/" {
		return ""
	}
	name = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == utf8.RuneError {
			return -1
		}
		return r
	}, name)
	return webhook.Truncate(name, maxFileName)
}

// drop removes what was stored.
func (u *upload) drop() error {
	id := u.stored.ID
	if u.stored.ID = 0; id == 0 {
		return nil
	}
	return ignoreNotFound(u.Store.DropUpload(context.WithoutCancel(u.c.UserContext()), u.stored.Account, id))
}

// refuse shows the form again: the list cannot be read.
func (u *upload) refuse(form views.UploadForm, problems webhook.Invalid) error {
	pasted := u.stored.Name == "" && u.typed != ""
	if err := u.drop(); err != nil {
		return err
	}
	if problem := problems["file"]; pasted {
		problems = webhook.Invalid{"text": problem}
	}
	return u.showUploadForm(u.c, form, problems)
}
