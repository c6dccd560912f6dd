package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"bookhook/views"
	"bookhook/webhook"
)

// maxHits is how many bookings one search shows.
const maxHits = 20

// search is one search of an account.
type search struct {
	*Pages
	ctx     context.Context
	account webhook.AccountID
	texts   []string // what was typed, also without #; and in capitals and small letters
	hooks   hooks
	hits    []views.Hit
}

// Search finds bookings by their reference or its beginning, deliveries, events,
// webhooks and bulk replays by their ids, events by the sender's own id, and webhooks by their names.
// If there is one hit, it leads there.
func (pg *Pages) Search(c *fiber.Ctx) error {
	typed := strings.TrimSpace(c.Query("q"))
	props := views.SearchProps{Typed: typed}
	if typed != "" && webhook.CheckExternalID(typed).IsZero() {
		s := search{Pages: pg, ctx: c.UserContext(), account: currentUser(c).Account.ID, texts: spellings(typed)}
		if err := s.find(); err != nil {
			return err
		}
		if len(s.hits) == 1 {
			return c.Redirect(s.hits[0].Href, http.StatusSeeOther)
		}
		props.More = len(s.hits) > maxHits
		props.Hits = s.hits[:min(len(s.hits), maxHits)]
	}
	var err error
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	props.Page.Search = typed
	return render(c, http.StatusOK, views.Search(props))
}

// spellings returns the text, also without # before it, each as it is, in capitals and
// in small letters: an index finds what is spelled alike.
func spellings(typed string) (all []string) {
	for _, text := range []string{typed, strings.TrimSpace(strings.TrimLeft(typed, "#"))} {
		for _, spelling := range []string{text, strings.ToUpper(text), strings.ToLower(text)} {
			if spelling != "" && !slices.Contains(all, spelling) {
				all = append(all, spelling)
			}
		}
	}
	return all
}

// find collects the hits, exact ones first.
func (s *search) find() (err error) {
	if s.hooks, err = s.Pages.hooks(s.ctx, s.account); err != nil {
		return err
	}
	for _, step := range []func() error{s.byID, s.bySenderID, s.bookings, s.names} {
		if err := step(); err != nil {
			return err
		}
	}
	exact := func(h views.Hit) int {
		if h.Exact {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(s.hits, func(a, b views.Hit) int { return exact(a) - exact(b) })
	return nil
}

// add adds a hit, unless it leads where another one does.
func (s *search) add(h views.Hit) {
	if !slices.ContainsFunc(s.hits, func(other views.Hit) bool { return other.Href == h.Href }) {
		s.hits = append(s.hits, h)
	}
}

// byID finds what has the id that was typed.
func (s *search) byID() error {
	for _, text := range s.texts {
		if id, err := webhook.ParseID[webhook.DeliveryID](text); err == nil {
			d, err := s.Store.Delivery(s.ctx, s.account, id)
			if err != nil {
				return ignoreNotFound(err)
			}
			s.add(views.DeliveryHit(views.DeliveryRow{Delivery: d, EventName: s.eventName(d.Platform, d.Type), WebhookName: s.hooks.names[d.Webhook]}))
		}
		if id, err := webhook.ParseID[webhook.EventID](text); err == nil {
			if err := s.event(id); err != nil {
				return ignoreNotFound(err)
			}
		}
		if id, err := webhook.ParseID[webhook.WebhookID](text); err == nil {
			if w := s.hooks.find(id); w != nil {
				s.add(views.WebhookHit(w, true))
			}
		}
		if id, err := webhook.ParseID[webhook.ReplayID](text); err == nil {
			r, err := s.Store.BulkReplay(s.ctx, s.account, id)
			if err != nil {
				return ignoreNotFound(err)
			}
			s.add(views.ReplayHit(r))
		}
	}
	return nil
}

func (s *search) event(id webhook.EventID) error {
	e, err := s.Store.Event(s.ctx, s.account, id)
	if err != nil {
		return err
	}
	s.add(views.EventHit(views.EventRow{Event: e.Event, EventName: s.eventName(e.Platform, e.Type)}))
	return nil
}

// bySenderID finds the event with the id that its sender, or its platform, gave it.
func (s *search) bySenderID() error {
	for _, text := range s.texts {
		ids := []string{text}
		for _, p := range s.Platforms {
			ids = append(ids, webhook.InboundPrefix+p.Key+":"+text)
		}
		for _, external := range ids {
			id, err := s.Store.EventID(s.ctx, s.account, external)
			if err == nil {
				err = s.event(id)
			}
			if ignoreNotFound(err) != nil {
				return err
			}
		}
	}
	return nil
}

// bookings finds the bookings whose references begin with what was typed.
func (s *search) bookings() error {
	for _, text := range s.texts {
		found, err := s.Store.BookingsFrom(s.ctx, s.account, text, maxHits+1)
		if err != nil {
			return err
		}
		for _, reference := range found {
			newest, err := s.Store.Events(s.ctx, s.account, webhook.EventFilter{Booking: reference, Limit: 1})
			if err != nil {
				return err
			}
			for _, e := range newest.Rows { // none if it was removed meanwhile
				row := views.EventRow{Event: e.Event, EventName: s.eventName(e.Platform, e.Type), Sent: e.Sent(), Skipped: len(e.Decisions) - e.Sent()}
				s.add(views.BookingHit(row, slices.Contains(s.texts, reference)))
			}
		}
		if len(s.hits) > maxHits {
			return nil
		}
	}
	return nil
}

// names finds the webhooks with what was typed in their names, in any case.
func (s *search) names() error {
	typed := strings.ToLower(s.texts[0])
	for _, w := range s.hooks.live {
		if name := strings.ToLower(w.Name); strings.Contains(name, typed) {
			s.add(views.WebhookHit(w, name == typed))
		}
	}
	return nil
}

// ignoreNotFound returns the error, but nil for webhook.ErrNotFound.
func ignoreNotFound(err error) error {
	if errors.Is(err, webhook.ErrNotFound) {
		return nil
	}
	return err
}
