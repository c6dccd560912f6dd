package pages

import (
	"context"
	"slices"

	"bookhook/messages"
	"bookhook/views"
	"bookhook/webhook"
)

// eventName is what people call an event; its type when no platform knows it.
func (pg *Pages) eventName(platform, eventType string) string {
	if p, ok := pg.Platforms.Get(platform); ok {
		if e, ok := p.Event(eventType); ok {
			return e.Name
		}
	}
	return eventType
}

// platformName is what people call a platform; its key when it is not known.
func (pg *Pages) platformName(key string) string {
	if p, ok := pg.Platforms.Get(key); ok {
		return p.Name
	}
	return key
}

// texts are the sentences of a platform's own codes.
func (pg *Pages) texts(platform string) messages.Texts {
	p, _ := pg.Platforms.Get(platform) // of one that is not known there are none
	return p.Texts
}

// eventTypes are the events to choose from in a filter: those of the platforms
// that the account uses or used, and of the one that the filter names. Where two
// have the same name, it is their keys that tell them apart.
func (pg *Pages) eventTypes(ctx context.Context, account webhook.AccountID, chosen string) ([]views.EventTypes, error) {
	connections, err := pg.Store.Connections(ctx, account)
	if err != nil {
		return nil, err
	}
	named, _ := webhook.SplitEventKey(chosen)
	var types []views.EventTypes
	for _, p := range pg.Platforms {
		if connectionTo(connections, p.Key) == nil && (chosen == "" || named != p.Key) {
			continue
		}
		t := views.EventTypes{Platform: p.Name}
		count := map[string]int{}
		for _, e := range p.Events {
			count[e.Name]++
		}
		for _, e := range p.Events {
			o := views.Option{Value: webhook.EventKey(p.Key, e.Key), Name: e.Name}
			if count[e.Name] > 1 {
				o.Name += " (" + e.Key + ")"
			}
			t.Options = append(t.Options, o)
		}
		types = append(types, t)
	}
	return types, nil
}

// catalogues are the events of all platforms.
func (pg *Pages) catalogues() []views.Catalogue {
	catalogues := make([]views.Catalogue, len(pg.Platforms))
	for i, p := range pg.Platforms {
		catalogues[i] = views.Catalogue{Platform: p.Key, Name: p.Name, Events: p.Events}
	}
	return catalogues
}

// names are what people call all events, and the channels and tours if any of
// them is asked for.
func (pg *Pages) names(ctx context.Context, account webhook.AccountID, channels, tours []string) (views.Names, error) {
	names := views.Names{Catalogues: pg.catalogues()}
	var err error
	if names.Channels, err = pg.itemNames(ctx, account, webhook.Channels, channels); err != nil {
		return views.Names{}, err
	}
	if names.Tours, err = pg.itemNames(ctx, account, webhook.Tours, tours); err != nil {
		return views.Names{}, err
	}
	return names, nil
}

func (pg *Pages) itemNames(ctx context.Context, account webhook.AccountID, kind webhook.ItemKind, ids []string) (map[string]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	items, err := pg.Store.AllItems(ctx, account, kind)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string, len(items))
	for _, item := range items {
		names[item.ID] = item.Name
	}
	return names, nil
}

// hooks are the webhooks of an account as the log names them.
type hooks struct {
	live  []*webhook.Webhook
	names map[webhook.WebhookID]string // deleted ones too, marked so
}

func (pg *Pages) hooks(ctx context.Context, account webhook.AccountID) (h hooks, err error) {
	if h.live, err = pg.Store.Webhooks(ctx, account); err != nil {
		return hooks{}, err
	}
	if h.names, err = pg.Store.WebhookNames(ctx, account); err != nil {
		return hooks{}, err
	}
	for id := range h.names {
		if h.find(id) == nil {
			h.names[id] += " (deleted)"
		}
	}
	return h, nil
}

// find is the webhook with the id, nil when it was deleted.
func (h hooks) find(id webhook.WebhookID) *webhook.Webhook {
	for _, w := range h.live {
		if w.ID == id {
			return w
		}
	}
	return nil
}

// inline reports whether one of them is an inline webhook.
func (h hooks) inline() bool {
	return slices.ContainsFunc(h.live, func(w *webhook.Webhook) bool { return w.Kind == webhook.Inline })
}

// options are the webhooks to choose from in a filter, and the chosen one even
// when it was deleted.
func (h hooks) options(chosen webhook.WebhookID) []views.Option {
	var options []views.Option
	for _, w := range h.live {
		options = append(options, views.Option{Value: w.ID.String(), Name: w.Name})
	}
	if name, ok := h.names[chosen]; ok && h.find(chosen) == nil {
		options = append(options, views.Option{Value: chosen.String(), Name: name})
	}
	return options
}
