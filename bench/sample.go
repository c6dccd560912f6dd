package bench

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"bookhook/auth"
	"bookhook/db"
	"bookhook/seal"
	"bookhook/webhook"
)

// benchName is who makes the changes, and the name of the tokens.
const benchName = "bookhook bench"

func change() webhook.Change { return webhook.Change{By: benchName, At: time.Now()} }

// shape is how many accounts and webhooks there are. Each event matches exactly
// one webhook.
type shape struct {
	accounts    int
	perAccount  int // webhooks of each account, one for each channel
	concurrency int // requests in flight to a webhook
}

// oneWebhook returns the shape of one account with one webhook, which may have as
// many requests in flight as the load has connections.
func oneWebhook(connections int) shape {
	return shape{accounts: 1, perAccount: 1, concurrency: min(connections, webhook.MaxConcurrency)}
}

// sampleAccounts are the accounts of a database before the load starts.
type sampleAccounts struct {
	accounts []webhook.AccountID
	tokens   []string
	webhooks [][]*webhook.Webhook // by account
	key      *seal.Key            // of the database's secrets; nil: they are not encrypted
}

// createSample creates the accounts, webhooks and tokens in a database. Accounts
// and webhooks that exist are used again, with new tokens. target returns the URL
// of the webhooks of an account, key is that of the secrets.
func createSample(ctx context.Context, path string, key *seal.Key, s shape, target func(account int) string) (*sampleAccounts, error) {
	store, err := db.Create(ctx, path, key)
	if err != nil {
		return nil, err
	}
	sample, err := createSampleIn(ctx, store, s, target)
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	sample.key = key
	return sample, store.Close()
}

func createSampleIn(ctx context.Context, store *db.Store, s shape, target func(account int) string) (*sampleAccounts, error) {
	known, err := store.Accounts(ctx)
	if err != nil {
		return nil, err
	}
	sample := &sampleAccounts{accounts: make([]webhook.AccountID, s.accounts), tokens: make([]string, s.accounts), webhooks: make([][]*webhook.Webhook, s.accounts)}
	for i := range s.accounts {
		var account webhook.Account
		if i < len(known) {
			account = known[i].Account
		} else if account, err = store.AddAccount(ctx, webhook.Account{
			Name: fmt.Sprintf("Bench %d", i), TimeZone: "UTC", WebhookLimit: s.perAccount,
		}, change()); err != nil {
			return nil, err
		}
		sample.accounts[i] = account.ID
	}
	var all sync.WaitGroup // so that they share their commits
	errs := make([]error, s.accounts)
	for i, account := range sample.accounts {
		all.Go(func() {
			sample.tokens[i], sample.webhooks[i], errs[i] = createWebhooks(ctx, store, account, s, target(i))
		})
	}
	all.Wait()
	return sample, errors.Join(errs...)
}

// createWebhooks creates the token and the webhooks of an account; webhooks that
// exist get the new target.
func createWebhooks(ctx context.Context, store *db.Store, account webhook.AccountID, s shape, target string) (token string, hooks []*webhook.Webhook, err error) {
	token, hash := auth.NewToken()
	if _, err := store.AddToken(ctx, webhook.Token{Account: account, Name: benchName}, hash, change()); err != nil {
		return "", nil, err
	}
	if hooks, err = store.Webhooks(ctx, account); err != nil {
		return "", nil, err
	}
	for _, w := range hooks {
		w.URL = target
		if _, err := store.UpdateWebhook(ctx, webhook.Update{Webhook: w}, change()); err != nil {
			return "", nil, err
		}
	}
	for place := len(hooks); place < s.perAccount; place++ {
		w, err := store.CreateWebhook(ctx, &webhook.Webhook{
			Account: account, Enabled: true, Secret: webhook.NewSecret(),
			Config: webhook.Config{
				Name: fmt.Sprintf("Bench %d", place), URL: target, Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
				Channels: webhook.NewFilter(webhook.Include, []string{channelID(place)}), Tours: webhook.NewFilter(webhook.All, nil),
				Concurrency: s.concurrency, Ordered: true,
			},
		}, nil, change())
		if err != nil {
			return "", nil, err
		}
		hooks = append(hooks, w)
	}
	return token, hooks, nil
}

// unrecorded counts the webhooks of the wanted accounts that have a delivery
// which is still pending in the database.
func (s *sampleAccounts) unrecorded(ctx context.Context, path string, wanted func(account int) bool) (n int, err error) {
	store, err := db.Open(ctx, path, s.key)
	if err != nil {
		return 0, err
	}
	due, err := store.Due(ctx, webhook.AllShards)
	if err != nil {
		return 0, errors.Join(err, store.Close())
	}
	for i, hooks := range s.webhooks {
		for _, w := range hooks {
			if _, pending := due[w.ID]; pending && wanted(i) {
				n++
			}
		}
	}
	return n, store.Close()
}
