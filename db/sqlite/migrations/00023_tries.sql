-- +goose Up

-- Attempts to sign in, to get an access token, and to have a message sent, so that they can be limited.
CREATE TABLE tries (
  key   BLOB    PRIMARY KEY, -- SHA-256 of what, the network and the name
  n     INTEGER NOT NULL,
  since INTEGER NOT NULL -- when the first of them was counted
) STRICT, WITHOUT ROWID;
