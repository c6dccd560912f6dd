package handlers

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

// refusal is why a step is shown again; with status 200 nothing was refused.
type refusal struct {
	status                     int
	problems                   webhook.Invalid
	atOnce, rate, limit, paste string              // as typed
	tried                      *webhook.Attempt    // the test that was just sent
	changed                    *webhook.AuditEntry // somebody else's change of the edited webhook
	stale                      bool                // the draft was changed since the form was made
}

func (a *app) renderStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step, r refusal) error {
	props := views.WizardProps{Draft: d, Problems: r.problems, AtOnce: r.atOnce, Rate: r.rate, Limit: r.limit}
	edited, err := a.edited(c, d)
	if err != nil {
		return err
	}
	props.Edited = edited
	if props.Page, err = a.page(c); err != nil {
		return err
	}
	component, err := a.stepView(c.UserContext(), props, step, r)
	if err != nil {
		return err
	}
	return render(c, r.status, component)
}

// edited names the webhook that a draft edits.
func (a *app) edited(c *fiber.Ctx, d *webhook.Draft) (string, error) {
	if d.Edits == 0 {
		return "", nil
	}
	w, err := a.Store.Webhook(c.UserContext(), d.Account, d.Edits)
	if err != nil {
		return "", draftGone(err)
	}
	return w.Name, nil
}

func (a *app) stepView(ctx context.Context, props views.WizardProps, step webhook.Step, r refusal) (templ.Component, error) {
	switch step {
	case webhook.StepType:
		return views.WizardType(props), nil
	case webhook.StepName:
		return a.nameView(ctx, props)
	case webhook.StepEvents:
		return a.eventsView(ctx, props)
	case webhook.StepChannels:
		channels, err := a.Store.AllItems(ctx, props.Draft.Account, webhook.Channels)
		return views.WizardChannels(views.PickProps{Wizard: props, Items: channels}), err
	case webhook.StepTours:
		return a.toursView(ctx, props, r.paste)
	}
	return a.reviewView(ctx, props, r)
}

// eventsView shows the events of the platforms that the account uses, or the
// draft names; of an inline webhook those that it can be asked about.
func (a *app) eventsView(ctx context.Context, props views.WizardProps) (templ.Component, error) {
	used, err := a.platformsOn(ctx, props.Draft.Account)
	step := views.EventsStepProps{Wizard: props}
	for _, p := range a.Platforms {
		events := eventsFor(props.Draft.Kind, p.Events)
		_, on := used.Get(p.Key)
		switch {
		case len(events) == 0:
		case on || ofPlatform(props.Draft.Events, p.Key):
			step.Catalogues = append(step.Catalogues, views.Catalogue{Platform: p.Key, Name: p.Name, Off: !on, Events: events})
		default:
			step.More = true
		}
	}
	return views.WizardEvents(step), err
}

// eventsFor are those that a webhook of this kind can have.
func eventsFor(kind webhook.Kind, events []webhook.EventType) []webhook.EventType {
	if kind != webhook.Inline {
		return events
	}
	return slices.DeleteFunc(slices.Clone(events), func(e webhook.EventType) bool { return !e.Inline })
}

// ofPlatform reports whether one of the keys is of the platform.
func ofPlatform(keys []string, platform string) bool {
	return slices.ContainsFunc(keys, func(key string) bool {
		of, _ := webhook.SplitEventKey(key)
		return of == platform
	})
}

// platformsOn are the platforms that are on in the account.
func (a *app) platformsOn(ctx context.Context, account webhook.ID) (platforms.Registry, error) {
	connections, err := a.Store.Connections(ctx, account)
	return slices.DeleteFunc(slices.Clone(a.Platforms), func(p platforms.Platform) bool {
		to := connectionTo(connections, p.Key)
		return to == nil || !to.Enabled
	}), err
}

// toursView shows ids that are in no list as pasted ones, which they are.
func (a *app) toursView(ctx context.Context, props views.WizardProps, paste string) (templ.Component, error) {
	tours, err := a.Store.AllItems(ctx, props.Draft.Account, webhook.Tours)
	if paste == "" {
		paste = strings.Join(unlisted(props.Draft.Tours.IDs, tours), "\n")
	}
	return views.WizardTours(views.PickProps{Wizard: props, Items: tours, Paste: paste}), err
}

func unlisted(ids []string, items []webhook.Item) []string {
	listed := make(map[string]bool, len(items))
	for _, i := range items {
		listed[i.ID] = true
	}
	return slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return listed[id] })
}

func (a *app) nameView(ctx context.Context, props views.WizardProps) (templ.Component, error) {
	on, err := a.platformsOn(ctx, props.Draft.Account)
	if err != nil {
		return nil, err
	}
	_, bare := on.Get(prioKey)
	sample, err := a.sampleOf(ctx, props)
	examples := []views.Example{sample.example(webhook.Native)}
	if props.Draft.Kind != webhook.Inline {
		examples = append(a.nativeExamples(sample, props.Draft, on), sample.example(webhook.Standard))
	}
	asks, _ := a.Platforms.Get(sample.event.Platform)
	return views.WizardName(views.NameProps{
		Wizard: props, Bare: bare && props.Draft.Kind != webhook.Inline, Examples: examples, Inline: asks.InlineAbout,
	}), err
}

func (a *app) reviewView(ctx context.Context, props views.WizardProps, r refusal) (templ.Component, error) {
	d := props.Draft
	all, err := a.Store.Webhooks(ctx, d.Account)
	if err != nil {
		return nil, err
	}
	names, err := a.names(ctx, d.Account, d.Channels.IDs, d.Tours.IDs)
	if err != nil {
		return nil, err
	}
	if clash, err := a.clash(ctx, d); err != nil {
		return nil, err
	} else if len(clash) > 0 && props.Problems == nil {
		props.Problems = clash
	}
	sample, err := a.sampleOf(ctx, props)
	return views.WizardReview(views.ReviewProps{
		Wizard: props, Names: names, Example: sample.example(d.Format).Text,
		Used: used(all), Limit: props.Page.Account.WebhookLimit, Tried: r.tried, Changed: r.changed, Stale: r.stale,
	}), err
}
