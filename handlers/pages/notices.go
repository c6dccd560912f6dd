package pages

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"bookhook/auth"
	"bookhook/handlers/web"
	"bookhook/incidents"
	"bookhook/views"
	"bookhook/webhook"
)

// NoticeStore is what the pages need of incidents, and of what people want to be told.
type NoticeStore interface {
	NoticeSettings(ctx context.Context, user webhook.UserID) (incidents.Settings, error)
	SaveNoticeSettings(ctx context.Context, user webhook.UserID, settings incidents.Settings) error
	StopNotices(ctx context.Context, user webhook.UserID) error
	NoticeLimits(ctx context.Context, account webhook.AccountID) (incidents.Limits, error)
	SaveNoticeLimits(ctx context.Context, account webhook.AccountID, l incidents.Limits, change webhook.Change) error
	Incidents(ctx context.Context, account webhook.AccountID, since time.Time, limit int) ([]incidents.Incident, error)
}

const noticesPath = "/settings/notices"

// What the list of incidents shows: those that are open, or ended lately.
const (
	shownIncidents  = 50
	incidentsWithin = 30 * 24 * time.Hour
)

// ShowNotices shows what the person wants to be told, and the incidents.
func (pg *Pages) ShowNotices(c *fiber.Ctx) error {
	page, err := pg.page(c)
	if err != nil {
		return err
	}
	return pg.showNotices(c, http.StatusOK, views.NoticesProps{Page: page})
}

func (pg *Pages) showNotices(c *fiber.Ctx, status int, props views.NoticesProps) (err error) {
	v, ctx := currentUser(c), c.UserContext()
	props.Kinds, props.Mail, props.Names = incidents.KindsFor(v.User), pg.Mailer != nil, pg.platformNames()
	if props.Settings, err = pg.Store.NoticeSettings(ctx, v.User.ID); err != nil {
		return err
	}
	if v.Account.ID != 0 {
		limits, err := pg.Store.NoticeLimits(ctx, v.Account.ID)
		if err != nil {
			return err
		}
		if props.Problems == nil {
			props.After, props.Waiting = limits.After, strconv.Itoa(limits.Waiting)
		}
		if props.Webhooks, err = pg.Store.Webhooks(ctx, v.Account.ID); err != nil {
			return err
		}
		props.Webhooks = slices.DeleteFunc(props.Webhooks, func(w *webhook.Webhook) bool { return !ofPlatform(w.Events, webhook.OwnPlatform) })
	}
	if props.Incidents, err = pg.incidents(c); err != nil {
		return err
	}
	return render(c, status, views.Notices(props))
}

// incidents lists those of the account, and for admins also those of the instance.
func (pg *Pages) incidents(c *fiber.Ctx) (all []incidents.Incident, err error) {
	v := currentUser(c)
	since := time.Now().Add(-incidentsWithin)
	if v.Account.ID != 0 {
		if all, err = pg.Store.Incidents(c.UserContext(), v.Account.ID, since, shownIncidents); err != nil {
			return nil, err
		}
	}
	if v.User.Role != webhook.RoleAdmin {
		return all, nil
	}
	instance, err := pg.Store.Incidents(c.UserContext(), 0, since, shownIncidents)
	all = append(instance, all...)
	slices.SortStableFunc(all, func(a, b incidents.Incident) int {
		if open := a.ClosedAt.IsZero(); open != b.ClosedAt.IsZero() {
			return map[bool]int{true: -1, false: 1}[open]
		}
		return b.OpenedAt.Compare(a.OpenedAt)
	})
	return all, err
}

// platformNames are the names of the platforms by their keys.
func (pg *Pages) platformNames() map[string]string {
	names := map[string]string{}
	for _, p := range pg.Platforms {
		names[p.Key] = p.Name
	}
	return names
}

// SaveNotices stores what the person wants to be told. What is not ticked of the kinds
// that the form had is muted.
func (pg *Pages) SaveNotices(c *fiber.Ctx) error {
	v := currentUser(c)
	settings := incidents.Settings{Mail: web.FormValue(c, "mail") != "", Muted: []incidents.Kind{}}
	ticked := web.FormValues(c, "kind")
	for _, kind := range incidents.KindsFor(v.User) {
		if !slices.Contains(ticked, string(kind)) {
			settings.Muted = append(settings.Muted, kind)
		}
	}
	settings.Quiet = incidents.Hours{From: hourOf(web.FormValue(c, "quiet_from")), Until: hourOf(web.FormValue(c, "quiet_until"))}
	if web.FormValue(c, "quiet_from") == "" || web.FormValue(c, "quiet_until") == "" {
		settings.Quiet = incidents.Hours{}
	}
	if err := pg.Store.SaveNoticeSettings(c.UserContext(), v.User.ID, settings); err != nil {
		return err
	}
	return pg.done(c, noticesPath, webhook.NewMessage("notices.saved"))
}

// hourOf reads an hour of the day; anything else is midnight.
func hourOf(text string) int {
	hour, err := strconv.Atoi(text)
	if err != nil || hour < 0 || hour > 23 {
		return 0
	}
	return hour
}

// SaveNoticeLimits stores from when on the account is notified that a webhook is failing.
func (pg *Pages) SaveNoticeLimits(c *fiber.Ctx) error {
	v := currentUser(c)
	props := views.NoticesProps{Page: v.page(c, nil), Waiting: strings.TrimSpace(web.FormValue(c, "waiting")), Problems: webhook.Invalid{}}
	minutes, err := strconv.Atoi(web.FormValue(c, "after"))
	props.After = time.Duration(minutes) * time.Minute
	if err != nil || !slices.Contains(views.NoticeDelays, props.After) {
		props.After = incidents.DefaultLimits.After
		props.Problems.Add("after", "notices.after")
	}
	waiting, err := strconv.Atoi(props.Waiting)
	if err != nil || waiting < incidents.MinWaiting || waiting > incidents.MaxWaiting {
		props.Problems.Add("waiting", "number.range", incidents.MinWaiting, incidents.MaxWaiting)
	}
	if len(props.Problems) > 0 {
		return pg.showNotices(c, http.StatusUnprocessableEntity, props)
	}
	limits := incidents.Limits{After: props.After, Waiting: waiting}
	if err := pg.Store.SaveNoticeLimits(c.UserContext(), v.Account.ID, limits, v.change()); err != nil {
		return err
	}
	return pg.done(c, noticesPath, webhook.NewMessage("notices.limits"))
}

// ShowStop asks who has a link from a message whether they want no more of them. It
// changes nothing.
func (pg *Pages) ShowStop(c *fiber.Ctx) error {
	user, err := pg.unsubscriber(c)
	if err != nil {
		return err
	}
	return render(c, http.StatusOK, views.StopNotices(views.StopProps{Outside: pg.outside(c), Token: c.Query("token"), Email: user.Email}))
}

// StopNotices ends the messages about incidents to who has a link from one. Mail
// programs post to it without a page, too (RFC 8058).
func (pg *Pages) StopNotices(c *fiber.Ctx) error {
	user, err := pg.unsubscriber(c)
	if err != nil {
		return err
	}
	if err := pg.Store.StopNotices(c.UserContext(), user.ID); err != nil {
		return err
	}
	return render(c, http.StatusOK, views.StopNotices(views.StopProps{Outside: pg.outside(c), Email: user.Email, Stopped: true}))
}

var stopUnknown = &web.Problem{
	Type: "not-found", Title: "This link does not work", Status: http.StatusNotFound,
	Meaning: "It is not complete, or it is of somebody who no longer has an account here. Nothing has changed.", Next: "Copy the whole link from the message, or sign in and choose Settings, Notices.",
}

func (pg *Pages) unsubscriber(c *fiber.Ctx) (webhook.User, error) {
	c.Set(fiber.HeaderReferrerPolicy, "no-referrer") // the address has the token
	id, err := auth.Unsubscriber(pg.StopKey, c.Query("token"))
	if err != nil {
		return webhook.User{}, stopUnknown
	}
	user, err := pg.Store.User(c.UserContext(), id)
	if errors.Is(err, webhook.ErrNotFound) {
		err = stopUnknown
	}
	return user, err
}
