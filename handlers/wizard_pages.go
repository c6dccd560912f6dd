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
	status              int
	problems            webhook.Invalid
	atOnce, rate, paste string              // as typed
	tried               *webhook.Attempt    // the test that was just sent
	changed             *webhook.AuditEntry // somebody else's change of the edited webhook
	stale               bool                // the draft was changed since the form was made
}

func (a *app) renderStep(c *fiber.Ctx, d *webhook.Draft, step webhook.Step, r refusal) error {
	props := views.WizardProps{Draft: d, Problems: r.problems, AtOnce: r.atOnce, Rate: r.rate}
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
		all, err := a.catalogues(ctx, props.Draft)
		return views.WizardEvents(views.EventsStepProps{Wizard: props, Catalogues: all}), err
	case webhook.StepChannels:
		channels, err := a.Store.AllItems(ctx, props.Draft.Account, webhook.Channels)
		return views.WizardChannels(views.PickProps{Wizard: props, Items: channels}), err
	case webhook.StepTours:
		return a.toursView(ctx, props, r.paste)
	}
	return a.reviewView(ctx, props, r)
}

// catalogues are those of the platforms that the account uses, or the draft names.
func (a *app) catalogues(ctx context.Context, d *webhook.Draft) ([]views.Catalogue, error) {
	used, err := a.platformsOn(ctx, d.Account)
	var all []views.Catalogue
	for _, p := range a.Platforms {
		_, on := used.Get(p.Key)
		named := slices.ContainsFunc(d.Events, func(key string) bool {
			platform, _ := webhook.SplitEventKey(key)
			return platform == p.Key
		})
		if on || named {
			all = append(all, views.Catalogue{Platform: p.Key, Name: p.Name, Events: p.Events})
		}
	}
	return all, err
}

// platformsOn are the platforms that are on in the account.
func (a *app) platformsOn(ctx context.Context, account webhook.ID) (platforms.Registry, error) {
	connections, err := a.Store.Connections(ctx, account)
	return slices.DeleteFunc(slices.Clone(a.Platforms), func(p platforms.Platform) bool {
		return !slices.ContainsFunc(connections, func(c webhook.Connection) bool { return c.Platform == p.Key && c.Enabled })
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
	return views.WizardName(views.NameProps{Wizard: props, Bare: bare, Examples: []views.Example{
		sample.example(webhook.Native), sample.example(webhook.Standard),
	}}), err
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
	sample, err := a.sampleOf(ctx, props)
	return views.WizardReview(views.ReviewProps{
		Wizard: props, Names: names, Example: sample.example(d.Format).Text,
		Used: used(all), Limit: props.Page.Account.WebhookLimit, Tried: r.tried, Changed: r.changed, Stale: r.stale,
	}), err
}
