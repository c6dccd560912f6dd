package handlers

import (
	"context"
	"slices"
	"strconv"

	"bookhook/views"
	"bookhook/webhook"
)

// eventName is what people call an event; its type when no platform knows it.
func (a *app) eventName(platform, eventType string) string {
	if p, ok := a.Platforms.Get(platform); ok {
		if e, ok := p.Event(eventType); ok {
			return e.Name
		}
	}
	return eventType
}

// platformName is what people call a platform; its key when it is not known.
func (a *app) platformName(key string) string {
	if p, ok := a.Platforms.Get(key); ok {
		return p.Name
	}
	return key
}

// eventTypes are the events to choose from in a filter: those of the platforms
// that the account uses or used, and of the one that the filter names. Where two
// have the same name, it is their keys that tell them apart.
func (a *app) eventTypes(ctx context.Context, account webhook.ID, chosen string) ([]views.EventTypes, error) {
	connections, err := a.Store.Connections(ctx, account)
	named, _ := webhook.SplitEventKey(chosen)
	var types []views.EventTypes
	for _, p := range a.Platforms {
		if connectionTo(connections, p.Key) == nil && (chosen == "" || named != p.Key) {
			continue
		}
		t := views.EventTypes{Platform: p.Name}
		times := map[string]int{}
		for _, e := range p.Events {
			times[e.Name]++
		}
		for _, e := range p.Events {
			o := views.Option{Value: webhook.EventKey(p.Key, e.Key), Name: e.Name}
			if times[e.Name] > 1 {
				o.Name += " (" + e.Key + ")"
			}
			t.Options = append(t.Options, o)
		}
		types = append(types, t)
	}
	return types, err
}

// catalogues are the events of all platforms.
func (a *app) catalogues() []views.Catalogue {
	catalogues := make([]views.Catalogue, len(a.Platforms))
	for i, p := range a.Platforms {
		catalogues[i] = views.Catalogue{Platform: p.Key, Name: p.Name, Events: p.Events}
	}
	return catalogues
}

// names are what people call all events, and the channels and tours of the
// lists of which something is asked for.
func (a *app) names(ctx context.Context, account webhook.ID, channels, tours []string) (views.Names, error) {
	names := views.Names{Catalogues: a.catalogues()}
	var err error
	if names.Channels, err = a.itemNames(ctx, account, webhook.Channels, channels); err != nil {
		return names, err
	}
	names.Tours, err = a.itemNames(ctx, account, webhook.Tours, tours)
	return names, err
}

func (a *app) itemNames(ctx context.Context, account webhook.ID, kind webhook.ItemKind, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	items, err := a.Store.AllItems(ctx, account, kind)
	names := make(map[string]string, len(items))
	for _, item := range items {
		names[item.ID] = item.Name
	}
	return names, err
}

// hooks are the webhooks of an account as the log names them.
type hooks struct {
	live  []*webhook.Webhook
	names map[webhook.ID]string // deleted ones too, marked so
}

func (a *app) hooks(ctx context.Context, account webhook.ID) (h hooks, err error) {
	if h.live, err = a.Store.Webhooks(ctx, account); err != nil {
		return h, err
	}
	if h.names, err = a.Store.WebhookNames(ctx, account); err != nil {
		return h, err
	}
	for id := range h.names {
		if h.find(id) == nil {
			h.names[id] += " (deleted)"
		}
	}
	return h, nil
}

// find is the webhook with the id, nil when it was deleted.
func (h hooks) find(id webhook.ID) *webhook.Webhook {
	for _, w := range h.live {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// inline reports whether one of them is asked.
func (h hooks) inline() bool {
	return slices.ContainsFunc(h.live, func(w *webhook.Webhook) bool { return w.Kind == webhook.Inline })
}

// options are the webhooks to choose from in a filter, and the chosen one even
// when it was deleted.
func (h hooks) options(chosen webhook.ID) []views.Option {
	var options []views.Option
	for _, w := range h.live {
		options = append(options, views.Option{Value: w.Ref(), Name: w.Name})
	}
	if name, ok := h.names[chosen]; ok && h.find(chosen) == nil {
		options = append(options, views.Option{Value: chosen.Text(webhook.WebhookPrefix), Name: name})
	}
	return options
}

// number counts things in words: "1 event was", "3 events were".
func number(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return strconv.Itoa(n) + " " + many
}
