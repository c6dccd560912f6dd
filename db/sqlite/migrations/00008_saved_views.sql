-- +goose Up

-- Filters of a list that a person keeps under a name.
CREATE TABLE saved_views (
  id         INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES accounts (id),
  user_id    INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  list       TEXT    NOT NULL, -- webhook.ViewedList
  name       TEXT    NOT NULL,
  query      TEXT    NOT NULL, -- of the address of the list
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX saved_views_user ON saved_views (user_id, list, name);
