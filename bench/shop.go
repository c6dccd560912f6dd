package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bookhook/db"
	"bookhook/handlers"
	"bookhook/webhook"
)

const actor = "bookhook bench"

// shape is how many there are. Each event matches exactly one webhook.
type shape struct {
	accounts    int
	perAccount  int // webhooks of each; they take a channel each
	concurrency int // requests to a webhook at once
}

// single is one account with one webhook, which may have as many requests in
// flight as the load has connections.
func single(connections int) shape {
	return shape{accounts: 1, perAccount: 1, concurrency: min(connections, webhook.MaxConcurrency)}
}

// shop is what is in a database before the load comes.
type shop struct {
	accounts []webhook.ID
	tokens   []string
	webhooks [][]*webhook.Webhook // by account
}

// furnish makes the accounts, webhooks and tokens in a database, or finds those
// that are there and makes new tokens. target says where the webhooks of an
// account call.
func furnish(ctx context.Context, path string, s shape, target func(account int) string) (*shop, error) {
	store, err := db.Create(ctx, path)
	if err != nil {
		return nil, err
	}
	made, err := furnishStore(ctx, store, s, target)
	return made, errors.Join(err, store.Close())
}

func furnishStore(ctx context.Context, store *db.Store, s shape, target func(account int) string) (*shop, error) {
	known, err := store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	made := &shop{accounts: make([]webhook.ID, s.accounts), tokens: make([]string, s.accounts), webhooks: make([][]*webhook.Webhook, s.accounts)}
	for i := range s.accounts {
		var account webhook.Account
		if i < len(known) {
			account = known[i].Account
		} else if account, err = store.AddAccount(ctx, webhook.Account{
			Name: fmt.Sprintf("Bench %d", i), TimeZone: "UTC", WebhookLimit: s.perAccount, CreatedAt: time.Now(),
		}, actor); err != nil {
			return nil, err
		}
		made.accounts[i] = account.ID
	}
	var all sync.WaitGroup // so that they share their commits
	errs := make([]error, s.accounts)
	for i, account := range made.accounts {
		all.Go(func() {
			made.tokens[i], made.webhooks[i], errs[i] = furnishAccount(ctx, store, account, s, target(i))
		})
	}
	all.Wait()
	return made, errors.Join(errs...)
}

// furnishAccount makes the token and the webhooks of an account; webhooks that
// are there call the new target.
func furnishAccount(ctx context.Context, store *db.Store, account webhook.ID, s shape, target string) (token string, hooks []*webhook.Webhook, err error) {
	token, hash := handlers.NewToken()
	if _, err := store.AddToken(ctx, webhook.Token{Account: account, Name: actor, CreatedAt: time.Now()}, hash, actor); err != nil {
		return "", nil, err
	}
	if hooks, err = store.Webhooks(ctx, account); err != nil {
		return "", nil, err
	}
	for _, w := range hooks {
		w.URL = target
		if err := store.UpdateWebhook(ctx, w, time.Time{}, nil, actor, time.Now()); err != nil {
			return "", nil, err
		}
	}
	for place := len(hooks); place < s.perAccount; place++ {
		w, err := store.CreateWebhook(ctx, &webhook.Webhook{
			Account: account, Name: fmt.Sprintf("Bench %d", place), URL: target, Kind: webhook.Async, Format: webhook.Standard,
			Events: []string{webhook.AllEventsKey}, Enabled: true, Concurrency: s.concurrency, Ordered: true, Secret: webhook.NewSecret(),
			Channels: webhook.NewFilter(webhook.Include, []string{channelID(place)}), Tours: webhook.NewFilter(webhook.All, nil),
		}, nil, actor, time.Now())
		if err != nil {
			return "", nil, err
		}
		hooks = append(hooks, w)
	}
	return token, hooks, nil
}

// unrecorded counts the webhooks of the wanted accounts that have a delivery of
// which the database does not know that it ended.
func (s *shop) unrecorded(ctx context.Context, path string, wanted func(account int) bool) (n int, err error) {
	store, err := db.Open(ctx, path)
	if err != nil {
		return 0, err
	}
	due, err := store.Due(ctx)
	for i, hooks := range s.webhooks {
		for _, w := range hooks {
			if _, pending := due[w.ID]; pending && wanted(i) {
				n++
			}
		}
	}
	return n, errors.Join(err, store.Close())
}
