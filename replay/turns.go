package replay

import (
	"sync"
	"time"

	"bookhook/webhook"
)

// Planning reads the database as fast as it can, so few requests are planned at once:
// the others of the account, and all other accounts, read meanwhile.
const (
	maxPlans        = 8 // that are under way
	maxPlansAccount = 2 // of one account
	planWait        = 5 * time.Second
)

// turns counts the requests that are being planned.
type turns struct {
	mu        sync.Mutex
	all       int
	byAccount map[webhook.AccountID]int
}

// begin takes a turn, which the returned function gives back. It returns
// webhook.LimitReached if too many are taken.
func (t *turns) begin(account webhook.AccountID) (end func(), err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if has := t.byAccount[account]; has >= maxPlansAccount || !webhook.MayTake(has, maxPlans-t.all) {
		return nil, webhook.LimitReached{What: webhook.LimitedPlans, Limit: maxPlansAccount, Used: has, Over: 1, Wait: planWait}
	}
	t.all++
	t.byAccount[account]++
	return func() { t.end(account) }, nil
}

func (t *turns) end(account webhook.AccountID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all--
	if t.byAccount[account]--; t.byAccount[account] == 0 {
		delete(t.byAccount, account)
	}
}
