package db

import (
	"context"

	"bookhook/db/group"
	"bookhook/webhook"
)

// AddUpload stores an upload of nothing yet. Its id is new; the oldest ones of the
// account make room for it. Nobody finds it before CompleteUpload.
func (s *Store) AddUpload(ctx context.Context, u webhook.Upload) (webhook.Upload, error) {
	kept, err := list(ctx, s.engine, scanUploadID, `SELECT id FROM uploads WHERE account_id = $1 ORDER BY id DESC`, u.Account)
	if err != nil {
		return u, err
	}
	for i := webhook.MaxUploads - 1; i < len(kept); i++ {
		if err := s.DropUpload(ctx, u.Account, kept[i]); ignoreNotFound(err) != nil {
			return u, err
		}
	}
	u.ID, u.Created.At = webhook.UploadID(s.nextID()), roundMillis(u.Created.At)
	err = s.write(ctx, func(tx transaction) error {
		_, err := tx.Exec(ctx, `INSERT INTO uploads (id, account_id, name, created_by, created_at) VALUES ($1, $2, $3, $4, $5)`,
			u.ID, u.Account, u.Name, u.Created.By, toMillis(u.Created.At))
		return err
	})
	return u, err
}

func scanUploadID(r scanner) (id webhook.UploadID, err error) {
	err = r.Scan(&id)
	return id, err
}

// AddUploadBlock stores the next block of an upload: webhook.UploadBlock bytes, or
// fewer if it is the last one. It returns webhook.ErrNotFound if the upload is
// complete, or was removed.
func (s *Store) AddUploadBlock(ctx context.Context, account webhook.AccountID, id webhook.UploadID, number int, body []byte) error {
	return s.writeInTurn(ctx, group.Turn{Later: true}, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE uploads SET size = size + $3 WHERE account_id = $1 AND id = $2 AND complete = 0`, account, id, len(body))
		switch {
		case err != nil:
			return err
		case n == 0:
			return webhook.ErrNotFound
		}
		_, err = tx.Exec(ctx, `INSERT INTO upload_blocks (account_id, upload_id, number, body) VALUES ($1, $2, $3, $4)`, account, id, number, body)
		return err
	})
}

// CompleteUpload ends an upload. It returns webhook.ErrNotFound if it was complete, or
// was removed.
func (s *Store) CompleteUpload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) (u webhook.Upload, err error) {
	err = s.write(ctx, func(tx transaction) error {
		n, err := tx.Exec(ctx, `UPDATE uploads SET complete = 1 WHERE account_id = $1 AND id = $2 AND complete = 0`, account, id)
		switch {
		case err != nil:
			return err
		case n == 0:
			return webhook.ErrNotFound
		}
		u, err = findUpload(ctx, tx, account, id)
		return err
	})
	return u, err
}

// Upload finds a complete upload of an account.
func (s *Store) Upload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) (webhook.Upload, error) {
	return findUpload(ctx, s.engine, account, id)
}

func findUpload(ctx context.Context, q querier, account webhook.AccountID, id webhook.UploadID) (u webhook.Upload, err error) {
	err = queryRow(ctx, q, `SELECT id, account_id, name, size, created_by, created_at FROM uploads WHERE account_id = $1 AND id = $2 AND complete = 1`, account, id).
		Scan(&u.ID, &u.Account, &u.Name, &u.Size, &u.Created.By, timeScanner{&u.Created.At})
	return u, err
}

// UploadBlock reads a block of an upload; the first is 0.
func (s *Store) UploadBlock(ctx context.Context, account webhook.AccountID, id webhook.UploadID, number int) (body []byte, err error) {
	err = queryRow(ctx, s.engine, `SELECT body FROM upload_blocks WHERE account_id = $1 AND upload_id = $2 AND number = $3`, account, id, number).Scan(&body)
	return body, err
}

// DropUpload deletes an upload with its blocks. It returns webhook.ErrNotFound if there
// is none.
func (s *Store) DropUpload(ctx context.Context, account webhook.AccountID, id webhook.UploadID) error {
	return s.write(ctx, func(tx transaction) error {
		n, err := execAll(ctx, tx, []statement{
			{`DELETE FROM upload_blocks WHERE account_id = $1 AND upload_id = $2`, []any{account, id}},
			{`DELETE FROM uploads WHERE account_id = $1 AND id = $2`, []any{account, id}},
		})
		if err == nil && n == 0 {
			err = webhook.ErrNotFound
		}
		return err
	})
}
