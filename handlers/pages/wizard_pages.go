package pages

import (
	"context"
	"slices"
	"strings"

	"github.com/a-h/templ"
	"github.com/gofiber/fiber/v2"

	"bookhook/platforms"
	"bookhook/views"
	"bookhook/webhook"
)

// stepProblem is why a step is shown again; it is empty for status 200.
type stepProblem struct {
	status                          int
	problems                        webhook.Invalid
	concurrency, rate, limit, paste string               // as typed
	search                          string               // in a long list
	test                            *webhook.Attempt     // that was just sent
	conflict                        *views.DraftConflict // the step was changed since its form was rendered
	stale                           *views.StaleReview   // the draft was changed since its review was rendered
}

func (pg *Pages) renderStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step, r stepProblem) error {
	props := views.WizardProps{Draft: d, Problems: r.problems, Concurrency: r.concurrency, Rate: r.rate, Limit: r.limit, Conflict: r.conflict}
	edited, err := pg.edited(c, d)
	if err != nil {
		return err
	}
	props.Edited = edited
	if !d.OnlyOwn() && slices.Index(webhook.Steps, step) >= slices.Index(webhook.Steps, webhook.StepEvents) {
		preview, err := pg.preview(c.UserContext(), d.Account, d.Config)
		if err != nil {
			return err
		}
		props.Preview = &preview
	}
	if d.Kind == webhook.Async {
		selected := func(platform string) bool { return d.AllEvents || ofPlatform(d.Events, platform) }
		if props.ToursUnknown, err = pg.toursUnknown(c.UserContext(), d.Account, selected); err != nil {
			return err
		}
	}
	if props.Page, err = pg.page(c); err != nil {
		return err
	}
	component, err := pg.stepView(c, props, step, r)
	if err != nil {
		return err
	}
	return render(c, r.status, component)
}

// edited returns the name of the webhook that a draft edits.
func (pg *Pages) edited(c *fiber.Ctx, d *webhook.Draft) (string, error) {
	if d.Edits == 0 {
		return "", nil
	}
	w, err := pg.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return "", draftGone(err)
	}
	return w.Name, nil
}

func (pg *Pages) stepView(c *fiber.Ctx, props views.WizardProps, step webhook.Step, r stepProblem) (templ.Component, error) {
	ctx := c.UserContext()
	switch step {
	case webhook.StepType:
		return views.WizardType(props), nil
	case webhook.StepName:
		return pg.nameView(ctx, props)
	case webhook.StepEvents:
		return pg.eventsView(ctx, props)
	case webhook.StepChannels:
		channels, err := pg.Store.AllItems(ctx, props.Draft.Account, webhook.Channels)
		if err != nil {
			return nil, err
		}
		return views.WizardChannels(views.PickProps{Wizard: props, Items: channels, Search: r.search}), nil
	case webhook.StepTours:
		return pg.toursView(ctx, props, r)
	}
	return pg.reviewView(c, props, r)
}

// eventsView shows the events of the platforms that the account uses or the draft
// selects events of; for an inline webhook, those that it can be called for.
func (pg *Pages) eventsView(ctx context.Context, props views.WizardProps) (templ.Component, error) {
	used, err := pg.platformsOn(ctx, props.Draft.Account)
	if err != nil {
		return nil, err
	}
	step := views.EventsStepProps{Wizard: props}
	for _, p := range pg.Platforms {
		events := pg.eventsFor(props.Draft.Kind, p)
		_, on := used.Get(p.Key)
		switch {
		case len(events) == 0:
		case on || p.Own || ofPlatform(props.Draft.Events, p.Key):
			step.Catalogues = append(step.Catalogues, views.Catalogue{Platform: p.Key, Name: p.Name, Off: !on && !p.Own, Own: p.Own, Events: events})
		default:
			step.More = true
		}
	}
	return views.WizardEvents(step), nil
}

// eventsFor returns the events of a platform that a webhook of this kind can select.
func (pg *Pages) eventsFor(kind webhook.Kind, p platforms.Platform) []platforms.EventType {
	if kind != webhook.Inline {
		return p.Events
	}
	return slices.DeleteFunc(slices.Clone(p.Events), func(e platforms.EventType) bool {
		return !pg.Platforms.Inline(webhook.EventKey(p.Key, e.Key))
	})
}

// ofPlatform reports whether one of the keys is of the platform.
func ofPlatform(keys []string, platform string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		of, _ := webhook.SplitEventKey(key)
		return of == platform
	})
}

// platformsOn returns the platforms that are on in the account.
func (pg *Pages) platformsOn(ctx context.Context, account webhook.AccountID) (platforms.Registry, error) {
	connections, err := pg.Store.Connections(ctx, account)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(pg.Platforms), func(p platforms.Platform) bool {
		to := connectionTo(connections, p.Key)
		return to == nil || !to.Enabled
	}), nil
}

// toursView shows ids that are not in the account's list in the field for pasted
// ids.
func (pg *Pages) toursView(ctx context.Context, props views.WizardProps, r stepProblem) (templ.Component, error) {
	tours, err := pg.Store.AllItems(ctx, props.Draft.Account, webhook.Tours)
	if err != nil {
		return nil, err
	}
	paste := r.paste
	if paste == "" {
		paste = strings.Join(unlisted(props.Draft.Tours.IDs, tours), "\n")
	}
	return views.WizardTours(views.PickProps{Wizard: props, Items: tours, Paste: paste, Search: r.search}), nil
}

func unlisted(ids []string, items []webhook.Item) []string {
	listed := make(map[string]bool, len(items))
	for _, i := range items {
		listed[i.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return listed[id] })
}

func (pg *Pages) nameView(ctx context.Context, props views.WizardProps) (templ.Component, error) {
	on, err := pg.platformsOn(ctx, props.Draft.Account)
	if err != nil {
		return nil, err
	}
	omits := slices.ContainsFunc(on, func(p platforms.Platform) bool { return p.OmitsPayload })
	sample, err := pg.sampleOf(ctx, props)
	if err != nil {
		return nil, err
	}
	examples := []views.Example{sample.example(webhook.Native)}
	if props.Draft.Kind != webhook.Inline {
		examples = append(pg.nativeExamples(sample, props.Draft, on), sample.example(webhook.Standard))
	}
	of, _ := pg.Platforms.Get(sample.event.Platform)
	names := make([]string, len(on))
	for i, p := range on {
		names[i] = p.Name
	}
	return views.WizardName(views.NameProps{
		Platforms: names,
		Wizard:    props, OmitPayload: omits && props.Draft.Kind != webhook.Inline, Examples: examples, InlineAbout: of.InlineAbout,
	}), nil
}

func (pg *Pages) reviewView(c *fiber.Ctx, props views.WizardProps, r stepProblem) (templ.Component, error) {
	ctx, d := c.UserContext(), props.Draft
	all, err := pg.Store.Webhooks(ctx, d.Account)
	if err != nil {
		return nil, err
	}
	names, err := pg.names(ctx, d.Account, d.Channels.IDs, d.Tours.IDs)
	if err != nil {
		return nil, err
	}
	conflict, err := pg.channelConflict(ctx, d)
	if err != nil {
		return nil, err
	}
	if len(conflict) > 0 && props.Problems == nil {
		props.Problems = conflict
	}
	sample, err := pg.sampleOf(ctx, props)
	if err != nil {
		return nil, err
	}
	changed, err := pg.editConflict(c, d)
	if err != nil {
		return nil, err
	}
	return views.WizardReview(views.ReviewProps{
		Wizard: props, Names: names, Example: sample.example(d.Format).Text,
		Used: webhook.CountAsync(all), Limit: props.Page.Account.WebhookLimit, Support: pg.Server.Support(),
		Test: r.test, Changed: changed, Stale: r.stale,
	}), nil
}
