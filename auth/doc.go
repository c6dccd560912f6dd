// Package auth authenticates users and programs, without a web server and without
// a database of its own: it hashes and checks passwords, creates tokens, secrets and session
// ids, and limits failed attempts.
//
// A password is stored as an argon2id hash with its parameters ([HashPassword]).
// Each hashing takes 64 MiB, so only a few run at once, and nobody waits for the
// many of another ([Hasher]). API tokens,
// client secrets, access tokens and session ids are random and too long to guess,
// so it is enough to store their SHA-256 ([HashSecret]).
//
// [Limiter] counts failed attempts by e-mail address and network.
//
// Both the web server and the command line use it.
package auth
