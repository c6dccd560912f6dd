package pages

import (
	"cmp"
	"context"
	"slices"

	"bookhook/messages"
	"bookhook/views"
	"bookhook/webhook"
)

// eventName returns the name of an event; its type if it is in no catalogue.
func (pg *Pages) eventName(platform, eventType string) string {
	if p, ok := pg.Platforms.Get(platform); ok {
		if e, ok := p.Event(eventType); ok {
			return e.Name
		}
	}
	return eventType
}

// eventShort returns the name of an event in a list; its type if it is in no catalogue.
func (pg *Pages) eventShort(platform, eventType string) string {
	p, _ := pg.Platforms.Get(platform) // an unknown platform has no events
	e, _ := p.Event(eventType)
	return cmp.Or(e.Short, e.Name, eventType)
}

// platformName returns the name of a platform; its key if it is not known.
func (pg *Pages) platformName(key string) string {
	if p, ok := pg.Platforms.Get(key); ok {
		return p.Name
	}
	return key
}

// texts returns the sentences of a platform's own codes.
func (pg *Pages) texts(platform string) messages.Texts {
	p, _ := pg.Platforms.Get(platform) // an unknown platform has none
	return p.Texts
}

// eventTypes returns the events to choose from in a filter: those of the platforms
// that the account uses or used, and of the one that is chosen. Events with the same
// name are shown with their keys.
func (pg *Pages) eventTypes(ctx context.Context, account webhook.AccountID, chosen string) ([]views.EventTypes, error) {
	connections, err := pg.Store.Connections(ctx, account)
	if err != nil {
		return nil, err
	}
	named, _ := webhook.SplitEventKey(chosen)
	var types []views.EventTypes
	for _, p := range pg.Platforms {
		if !p.Own && connectionTo(connections, p.Key) == nil && (chosen == "" || named != p.Key) {
			continue
		}
		t := views.EventTypes{Platform: p.Name, Own: p.Own}
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

// catalogues returns the events of all platforms.
func (pg *Pages) catalogues() []views.Catalogue {
	catalogues := make([]views.Catalogue, len(pg.Platforms))
	for i, p := range pg.Platforms {
		catalogues[i] = views.Catalogue{Platform: p.Key, Name: p.Name, Events: p.Events}
	}
	return catalogues
}

// names returns the names of all events, and those of the account's channels and
// tours if ids of them are given.
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
	live  []*webhook.Webhook           // by name
	names map[webhook.WebhookID]string // deleted ones too, marked so
}

func (pg *Pages) hooks(ctx context.Context, account webhook.AccountID) (h hooks, err error) {
	if h.live, err = pg.Store.Webhooks(ctx, account); err != nil {
		return hooks{}, err
	}
	slices.SortFunc(h.live, func(a, b *webhook.Webhook) int {
		return cmp.Or(webhook.CompareNames(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
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

// find returns the webhook with the id, nil if it was deleted.
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

// options returns the webhooks to choose from in a filter, and the chosen one even
// if it was deleted.
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
