//go:build unix

package main

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"bookhook/db"
	"bookhook/db/postgres/pgtest"
	"bookhook/webhook"
)

// fleet is processes that serve one database of PostgreSQL, in which one account has a
// webhook with a concurrency of one.
type fleet struct {
	t         *testing.T
	database  string
	store     *db.Store
	account   webhook.AccountID
	token     string
	processes []*member
}

// member is one of them.
type member struct {
	*process
	command *exec.Cmd
}

// newFleet starts n processes that send to a receiver, and returns when each has its share.
func newFleet(t *testing.T, n int, receiver string) *fleet {
	t.Helper()
	f := &fleet{t: t, database: pgtest.Database(t, "template1")}
	for range n {
		command := exec.CommandContext(t.Context(), os.Args[0], "serve", "--listen", "127.0.0.1:0", "--database", f.database, "--allow-private-targets", "all")
		command.Env = append(os.Environ(), asMain+"=1")
		f.processes = append(f.processes, &member{watch(t, command), command})
	}
	f.store = open(t, f.database)
	must(t, "", "account", "add", "Night Tours", "--number", "4069", "--database", f.database)
	account, err := f.store.AccountByNumber(t.Context(), 4069)
	if err != nil {
		t.Fatal(err)
	}
	f.account = account.ID
	_, err = f.store.CreateWebhook(t.Context(), &webhook.Webhook{
		Account: account.ID, Enabled: true, Secret: webhook.NewSecret(),
		Config: webhook.Config{
			Name: "Accounting", URL: receiver, Kind: webhook.Async, Format: webhook.Standard, AllEvents: true,
			Channels: webhook.NewFilter(webhook.All, nil), Tours: webhook.NewFilter(webhook.All, nil), Concurrency: 1,
		},
	}, nil, change())
	if err != nil {
		t.Fatal(err)
	}
	f.token = must(t, "", "token", "add", "--account", "4069", "till", "--database", f.database)
	f.await(n)
	return f
}

// await waits until n processes have their shares.
func (f *fleet) await(n int) {
	f.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		all, err := f.store.Replicas(f.t.Context())
		if err != nil {
			f.t.Fatal(err)
		}
		have := 0
		for _, r := range all {
			if r.Alive && r.Shards.Len() >= webhook.Shards/n-n && r.Shards.Len() <= webhook.Shards/n+1 {
				have++
			}
		}
		if have == n {
			return
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("got %+v, want the shares of %d", all, n)
		}
	}
}

// owner returns the process that serves the account, and another one.
func (f *fleet) owner() (owner, other *member) {
	f.t.Helper()
	all, err := f.store.Replicas(f.t.Context())
	if err != nil {
		f.t.Fatal(err)
	}
	for _, r := range all {
		_, port, _ := strings.Cut(r.Name, ":")
		for _, p := range f.processes {
			switch {
			case !strings.HasSuffix(p.url, ":"+port):
			case r.Shards.HasAccount(f.account):
				owner = p
			default:
				other = p
			}
		}
	}
	if owner == nil || other == nil {
		f.t.Fatalf("got %+v, want one that serves the account", all)
	}
	return owner, other
}

// delivered waits until so many deliveries have been delivered.
func (f *fleet) delivered(n int) []webhook.DeliveryRow {
	f.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		page, err := f.store.Deliveries(f.t.Context(), f.account, webhook.DeliveryFilter{State: webhook.Delivered, Limit: 100})
		if err != nil {
			f.t.Fatal(err)
		}
		if len(page.Rows) == n {
			return page.Rows
		}
		if time.Now().After(deadline) {
			f.t.Fatalf("got %d delivered, want %d", len(page.Rows), n)
		}
	}
}

// firstWaits is a receiver that keeps its first request until it is released, and counts the
// requests of each delivery.
func firstWaits(t *testing.T) (url string, came chan string, release chan struct{}) {
	came, release = make(chan string, 100), make(chan struct{})
	first := make(chan struct{}, 1)
	first <- struct{}{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		came <- r.Header.Get("webhook-id")
		select {
		case <-first:
			select {
			case <-release:
			case <-r.Context().Done():
			}
		default:
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, came, release
}

// TestReplicaKilled: what a process had in flight and in its queue when it was killed,
// another one sends when its lease has ended.
func TestReplicaKilled(t *testing.T) {
	t.Parallel()
	url, came, _ := firstWaits(t)
	f := newFleet(t, 2, url)
	owner, other := f.owner()
	for range 3 {
		book(t, other.url, f.token)
	}
	first := <-came
	began := time.Now()
	if err := owner.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	book(t, other.url, f.token)
	sent := map[string]int{first: 1}
	for range 4 {
		sent[<-came]++
	}
	if took := time.Since(began); took > webhook.LeaseTime+10*time.Second {
		t.Errorf("it took %s, want little more than %s", took, webhook.LeaseTime)
	}
	for _, d := range f.delivered(4) {
		want := 1
		if d.ID.String() == first {
			want = 2
		}
		if sent[d.ID.String()] != want {
			t.Errorf("delivery %s was sent %d times, want %d", d.ID, sent[d.ID.String()], want)
		}
	}
}

// TestReplicaPaused: a process that was stopped for longer than its lease sends nothing of
// its queue when it goes on, and its late result is dropped.
func TestReplicaPaused(t *testing.T) {
	t.Parallel()
	url, came, release := firstWaits(t)
	f := newFleet(t, 2, url)
	owner, other := f.owner()
	for range 4 {
		book(t, owner.url, f.token)
	}
	first := <-came
	if err := owner.command.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	sent := map[string]int{first: 1}
	for range 4 {
		sent[<-came]++
	}
	f.delivered(4)
	if err := owner.command.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	close(release)
	owner.waitFor(`result dropped, since another replica has taken over the account`)
	f.await(2) // it gets its share again
	book(t, other.url, f.token)
	sent[<-came]++
	for _, d := range f.delivered(5) {
		want := 1
		if d.ID.String() == first {
			want = 2
		}
		if sent[d.ID.String()] != want {
			t.Errorf("delivery %s was sent %d times, want %d", d.ID, sent[d.ID.String()], want)
		}
	}
}

// TestReplicaStopped: a process that is stopped in order hands its accounts over at once,
// and one that joins gets its share.
func TestReplicaStopped(t *testing.T) {
	t.Parallel()
	url, came, release := firstWaits(t)
	close(release)
	f := newFleet(t, 3, url)
	owner, other := f.owner()
	book(t, other.url, f.token)
	<-came
	f.delivered(1)
	if err := owner.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	owner.waitFor(`waiting for deliveries`)
	began := time.Now()
	book(t, other.url, f.token)
	<-came
	if took := time.Since(began); took > 2*time.Second {
		t.Errorf("it took %s until the next one was sent, want less than a renewal", took)
	}
	f.await(2)
	f.delivered(2)
}

// TestReplicasSetUp: before anybody can sign in, all replicas print the same link, which
// opens the page of each; and each is ready for requests.
func TestReplicasSetUp(t *testing.T) {
	at := pgtest.Database(t, "template1")
	const link = `/setup\?token=(\S+)$`
	a := launch(t, "serve", "--listen", "127.0.0.1:0", "--database", at)
	b := launch(t, "serve", "--listen", "127.0.0.1:0", "--database", at)
	token := a.waitFor(link)[1]
	if other := b.waitFor(link)[1]; other != token {
		t.Errorf("got the tokens %s and %s, want one", token, other)
	}
	for _, p := range []*process{a, b} {
		for _, path := range []string{"/setup?token=" + token, "/readyz"} {
			if status, body := get(t, p.url+path, ""); status != http.StatusOK {
				t.Errorf("%s: got %d %s, want 200", path, status, body)
			}
		}
	}
}

// TestReplicasShareOneKey: several that start at once on a new database encrypt it once; a
// replica without the key, or with another one, does not start, and nor does one with a key
// beside one that serves without.
func TestReplicasShareOneKey(t *testing.T) {
	at, key := pgtest.Database(t, "template1"), newKeyFile(t)
	serve := []string{"serve", "--listen", "127.0.0.1:0", "--database", at}
	plain := launch(t, serve...)
	refused(t, "is in use by another Bookhook; stop that one first; its secrets are not encrypted yet: unless another replica is doing that now, stop all before the first start with --secret-key-file",
		1, "", append(serve, "--secret-key-file", key)...)
	plain.stop()
	encrypted := make(chan error, 3)
	for range cap(encrypted) {
		go func() {
			encrypted <- encryptAlone(t.Context(), database{path: databasePath(at), key: secretKeyFile(key)}, slog.New(slog.DiscardHandler))
		}()
	}
	for range cap(encrypted) {
		if err := <-encrypted; err != nil {
			t.Error(err)
		}
	}
	launch(t, append(serve, "--secret-key-file", key)...)
	launch(t, append(serve, "--secret-key-file", key)...)
	refused(t, "its secrets are encrypted; name the file of their key with --secret-key-file", 1, "", serve...)
	refused(t, "its secrets are encrypted with another key", 1, "", append(serve, "--secret-key-file", newKeyFile(t))...)
	if encrypted, err := db.CheckKey(t.Context(), at, nil); !encrypted || !errors.Is(err, db.ErrNoKey) {
		t.Errorf("got encrypted: %v, %v, want that it is and needs its key", encrypted, err)
	}
}
