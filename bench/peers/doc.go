// Command peers measures Bookhook beside other programs that deliver webhooks, on this
// machine, in one run:
//
//	cd bench/peers && go run . --seconds 10 --rounds 3     (or: make peers)
//
// It needs PostgreSQL (Debian: apt-get install postgresql), of which it starts a
// cluster of its own in a temporary folder; another one on the machine is not touched.
// --dir names the folder, for a disk other than that of temporary files: Bookhook's
// databases are in it as well. It runs on Linux and other Unix systems; processor time
// and memory are measured on Linux only.
//
// The load and the receiver are those of "bookhook bench": events of 1 KiB over 128
// connections, each of which sends the next event when it has its response; one
// webhook; every event is accounted for. Bookhook is built from this repository and
// runs as "bookhook serve". The peers take turns with it, each with an empty database:
//
//	load ──POST /api/v1/events──▶ bookhook serve ─▶ SQLite ──────▶ signed POST ──▶ receiver
//	load ──POST /api/v1/events──▶ this program ───▶ PostgreSQL ──▶ signed POST ──▶ receiver
//	                              with River
//	load ──POST /api/v1/events──▶ bookhook serve ─▶ PostgreSQL ──▶ signed POST ──▶ receiver
//	                              1, 2, 4 replicas
//
// River (github.com/riverqueue/river) is a job queue in a library: what is around it
// here is the least that takes an event over net/http, inserts a job, answers 202 when
// the job is committed, and in a worker signs the event as Bookhook does and POSTs it
// with net/http. "River, single" inserts each event by itself; "River, grouped"
// inserts the events that wait together, with one COPY and one commit. Jobs are
// fetched, completed in batches and cleaned up as River does it. What is tuned is in
// river.go, and PostgreSQL's settings are in postgres.go: commits are on disk before
// they are answered, as Bookhook's are.
//
// River does less: it keeps no log of attempts (a completed job is one row, with the
// errors of failed attempts), no order between events of a booking, and has no
// circuits, limits for each receiver or address guard. And the program around it
// checks no token, reads nothing of the event and matches no webhooks.
//
// Processor time is that of the process, for River with all processes of PostgreSQL.
// Memory is what is resident when the load ends, where what PostgreSQL's processes
// share counts once. The exit code is 1 if an event was lost or duplicated, or a
// delivery was not recorded.
//
// It is a module of its own, so that Bookhook's has none of these dependencies. Its
// tests are not part of "make test", which would have to download them:
//
//	cd bench/peers && go test .
package main
