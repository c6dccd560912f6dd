package db

import (
	"context"
	"slices"
	"time"

	"bookhook/webhook"
)

// SaveView keeps a view of a person; one of the same list and name is replaced. It
// returns webhook.LimitReached if it would be one more than webhook.MaxSavedViews.
func (s *Store) SaveView(ctx context.Context, v webhook.SavedView, now time.Time) error {
	most := webhook.LimitReached{What: webhook.LimitedViews, Limit: webhook.MaxSavedViews}
	return s.write(ctx, func(tx transaction) error {
		replaced, err := tx.Exec(ctx, `UPDATE saved_views SET query = $5 WHERE account_id = $1 AND user_id = $2 AND list = $3 AND name = $4`,
			v.Account, v.User, string(v.List), v.Name, v.Query)
		if err != nil || replaced > 0 {
			return err
		}
		if err := lockAccount(ctx, tx, v.Account); err != nil {
			return err
		}
		if err := queryRow(ctx, tx, `SELECT count(*) FROM saved_views WHERE user_id = $1`, v.User).Scan(&most.Used); err != nil {
			return err
		}
		if most.Used >= most.Limit {
			return most
		}
		_, err = tx.Exec(ctx, `INSERT INTO saved_views (id, account_id, user_id, list, name, query, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
			s.nextID(), v.Account, v.User, string(v.List), v.Name, v.Query, toMillis(now))
		return err
	})
}

const viewColumns = `id, account_id, user_id, list, name, query, created_at`

func scanView(r scanner) (v webhook.SavedView, err error) {
	err = r.Scan(&v.ID, &v.Account, &v.User, &v.List, &v.Name, &v.Query, timeScanner{&v.CreatedAt})
	return v, err
}

// SavedViews lists the views that a person keeps of a list, by their names as
// webhook.CompareNames does; at most
// webhook.MaxSavedViews.
func (s *Store) SavedViews(ctx context.Context, account webhook.AccountID, user webhook.UserID, of webhook.ViewedList) ([]webhook.SavedView, error) {
	views, err := list(ctx, s.engine, scanView, `SELECT `+viewColumns+` FROM saved_views WHERE account_id = $1 AND user_id = $2 AND list = $3 ORDER BY name`,
		account, user, string(of))
	slices.SortFunc(views, func(a, b webhook.SavedView) int { return webhook.CompareNames(a.Name, b.Name) })
	return views, err
}

// DeleteView deletes a view of a person, and returns it.
func (s *Store) DeleteView(ctx context.Context, account webhook.AccountID, user webhook.UserID, id webhook.ViewID) (v webhook.SavedView, err error) {
	err = s.write(ctx, func(tx transaction) error {
		v, err = scanView(queryRow(ctx, tx, `DELETE FROM saved_views WHERE account_id = $1 AND user_id = $2 AND id = $3 RETURNING `+viewColumns, account, user, id))
		return err
	})
	return v, err
}
