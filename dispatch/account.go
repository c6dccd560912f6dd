package dispatch

import (
	"slices"

	"bookhook/webhook"
)

// account is what one account has of everything that the accounts share. Its fields
// are guarded by the mutex of [lanes].
type account struct {
	id         webhook.AccountID
	lanes      int     // that exist
	workers    int     // goroutines of jobs: in flight, or recording
	held       int     // jobs, reserved places included
	bytes      int     // payload of the jobs in memory
	claims     int     // under way
	startQueue []*lane // with a job that may start
	claimQueue []*lane // with rows that may be claimed
}

// idle reports whether the account can be deleted.
func (a *account) idle() bool { return a.lanes == 0 && a.workers == 0 && a.held == 0 && a.claims == 0 }

// line is lanes that wait for their turn. Accounts take turns, and so do the lanes of
// each.
type line struct {
	accounts []*account                // with lanes that wait
	queue    func(a *account) *[]*lane // the lanes of an account
}

func (q *line) add(l *lane) {
	lanes := q.queue(l.account)
	if len(*lanes) == 0 {
		q.accounts = append(q.accounts, l.account)
	}
	*lanes = append(*lanes, l)
}

// next takes the lane whose turn it is out of the line, among those of accounts that
// may go on; nil if there is none.
func (q *line) next(may func(*account) bool) *lane {
	i := slices.IndexFunc(q.accounts, may)
	if i < 0 {
		return nil
	}
	a := q.accounts[i]
	lanes := q.queue(a)
	l := (*lanes)[0]
	*lanes = slices.Delete(*lanes, 0, 1)
	q.accounts = slices.Delete(q.accounts, i, i+1)
	if len(*lanes) > 0 {
		q.accounts = append(q.accounts, a)
	}
	return l
}

// remove takes a lane out of the line, if it is there.
func (q *line) remove(l *lane) {
	lanes := q.queue(l.account)
	i := slices.Index(*lanes, l)
	if i < 0 {
		return
	}
	*lanes = slices.Delete(*lanes, i, i+1)
	if len(*lanes) == 0 {
		q.accounts = slices.DeleteFunc(q.accounts, func(a *account) bool { return a == l.account })
	}
}
