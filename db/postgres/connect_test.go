package postgres

import "testing"

// TestName: no part of a password is shown, wherever it was taken for.
func TestName(t *testing.T) {
	for dsn, name := range map[string]string{
		"postgres://bookhook:s3cret@db/x?sslmode=require": "postgres://bookhook@db/x",
		"postgres://bookhook:s3%40cret@db/x%40y":          "postgres://bookhook@db/x@y",
		"postgres://db:5432/x":                            "postgres://db:5432/x",
		"postgres://bookhook:12/34@db/x":                  "postgres://…",
		"postgres://bookhook:1@2/34@db/x":                 "postgres://…",
		"postgres://bookhook:7?x@db/x":                    "postgres://…",
		"postgres://bookhook:7#x@db/x":                    "postgres://…",
		"postgres://bookhook:x/y@db/x":                    "postgres://…",
		"postgres://bookhook@db/x?password=s3cret":        "postgres://bookhook@db/x",
	} {
		want(t, "name", Name(dsn), name)
		_, err := parse(dsn)
		want(t, dsn+": refused", err != nil, name == "postgres://…")
	}
}
