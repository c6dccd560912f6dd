-- +goose Up

-- How many times an account let Bookhook call an address of its choice in the newest
-- minute in which it did. One row for an account, so that none has to be removed.
CREATE TABLE url_checks (
  account_id INTEGER PRIMARY KEY REFERENCES accounts (id),
  minute     INTEGER NOT NULL, -- since 1970
  checks     INTEGER NOT NULL
) STRICT;
