// Package auth is about who a user or a program is, without a web server and
// without a database: it hashes and checks passwords, makes the secrets that programs
// present and the ids of sessions, and slows down guessing.
//
// A password is stored as an argon2id hash that says how it was made
// ([HashPassword]). Each hashing takes 64 MiB, so requests share a few places
// ([Hasher]). API tokens, client secrets, access tokens and session ids have
// 256 random bits; of these the SHA-256 is stored ([HashSecret]), which is enough
// for what cannot be guessed.
//
// [Limiter] counts attempts that failed by e-mail address and network.
//
// Both the web server and the command line use it.
package auth
