package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"bookhook/webhook"
)

// What River leaves to its user. The values were found by trying each in both ways to
// insert, on 2 cores with a load of 128 connections and other work beside it.
const (
	workers       = 256                  // jobs at once; 128 were slower, 512 no faster
	fetchCooldown = 5 * time.Millisecond // River's default, 100 ms, allows 2,560 jobs/s; with 1 ms it fetches a few at a time, which costs more
	workConns     = 8                    // to fetch and complete jobs; River uses fewer
	insertConns   = 32                   // 8, 16, 64 and 128 were no faster
	gcPercent     = 300                  // as Bookhook sets it
	maxBody       = 4 << 20              // bytes of a request, as in Bookhook
)

// eventArgs are what River stores for a job. The event is stored as a text of base64,
// as its exact bytes: River's column is JSONB, which does not keep them.
type eventArgs struct {
	Event []byte `json:"event"`
}

// Kind names the job for River.
func (eventArgs) Kind() string { return "deliver_event" }

// sender is the worker: it sends each event to the receiver as Bookhook does.
type sender struct {
	river.WorkerDefaults[eventArgs]
	receiver  string
	secrets   []string
	transport *http.Transport
}

func newSender(receiver, secret string) *sender {
	return &sender{
		receiver: receiver, secrets: []string{secret},
		transport: &http.Transport{MaxIdleConnsPerHost: workers, DisableCompression: true},
	}
}

// Work sends one event. With an error, River sends it again later.
func (s *sender) Work(ctx context.Context, job *river.Job[eventArgs]) error {
	id, now := "dlv_"+strconv.FormatInt(job.ID, 10), time.Now()
	signature, err := webhook.Sign(s.secrets, id, now, job.Args.Event)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.receiver, bytes.NewReader(job.Args.Event))
	if err != nil {
		return err
	}
	request.Header = http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id},
		"Webhook-Timestamp": {strconv.FormatInt(now.Unix(), 10)}, "Webhook-Signature": {signature},
	}
	response, err := s.transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(response.Body, 64<<10)); err != nil {
		return err
	}
	if response.StatusCode/100 != 2 {
		return fmt.Errorf("the receiver answered %s", response.Status)
	}
	return nil
}

// inserter stores an event as a job, and returns when it is committed.
type inserter func(ctx context.Context, event []byte) error

// runRiver takes events and delivers them with River until ctx ends. It prints its
// address when it listens, like "bookhook serve".
func runRiver(ctx context.Context, database, receiver string, grouped bool, out io.Writer) error {
	debug.SetGCPercent(gcPercent)
	working, err := openPool(ctx, database, workConns)
	if err != nil {
		return err
	}
	defer working.Close()
	inserting, err := openPool(ctx, database, insertConns)
	if err != nil {
		return err
	}
	defer inserting.Close()
	client, insert, err := start(ctx, working, inserting, receiver)
	if err != nil {
		return err
	}
	store := func(ctx context.Context, event []byte) error {
		_, err := insert.Insert(ctx, eventArgs{event}, nil)
		return err
	}
	if grouped {
		g := newGroups(insert)
		defer g.stop()
		store = g.insert
	}
	if err := serve(ctx, store, out); err != nil {
		return err
	}
	if err := client.Stop(context.WithoutCancel(ctx)); err != nil {
		return err
	}
	return checkCompleted(context.WithoutCancel(ctx), working)
}

// openPool returns a pool whose connections are all open: the load is not to wait for
// them.
func openPool(ctx context.Context, database string, connections int) (*pgxpool.Pool, error) {
	config, err := pgxpool.ParseConfig(database)
	if err != nil {
		return nil, err
	}
	config.MaxConns = int32(connections)
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	for range connections {
		conn, err := pool.Acquire(ctx)
		if err != nil {
			pool.Close()
			return nil, err
		}
		defer conn.Release()
	}
	return pool, nil
}

// start creates River's tables and starts its workers. It returns another client to
// insert with, which has connections of its own: so fetching and completing jobs
// never wait for those that insert.
func start(ctx context.Context, working, inserting *pgxpool.Pool, receiver string) (client, insert *river.Client[pgx.Tx], err error) {
	migrator, err := rivermigrate.New(riverpgxv5.New(working), nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return nil, nil, fmt.Errorf("create River's tables: %w", err)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	kinds := river.NewWorkers()
	river.AddWorker(kinds, newSender(receiver, webhook.NewSecret()))
	client, err = river.NewClient(riverpgxv5.New(working), &river.Config{
		Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}, Workers: kinds,
		FetchCooldown: fetchCooldown, Logger: log,
	})
	if err != nil {
		return nil, nil, err
	}
	if insert, err = river.NewClient(riverpgxv5.New(inserting), &river.Config{Workers: kinds, FetchCooldown: fetchCooldown, Logger: log}); err != nil {
		return nil, nil, err
	}
	return client, insert, client.Start(context.WithoutCancel(ctx))
}

// serve takes events over HTTP until ctx ends, and prints its address first.
func serve(ctx context.Context, store inserter, out io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/v1/events", func(w http.ResponseWriter, r *http.Request) {
		event, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err == nil {
			err = store(r.Context(), event)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	fmt.Fprintf(out, "listening on http://%s\n", listener.Addr())
	select {
	case err = <-served:
	case <-ctx.Done():
		err = server.Shutdown(context.WithoutCancel(ctx))
	}
	return err
}

// checkCompleted fails if River has not recorded every job as completed.
func checkCompleted(ctx context.Context, pool *pgxpool.Pool) error {
	var open int
	if err := pool.QueryRow(ctx, "SELECT count(*) FROM river_job WHERE state <> 'completed'").Scan(&open); err != nil {
		return err
	}
	if open > 0 {
		return errors.New(strconv.Itoa(open) + " jobs are not completed")
	}
	return nil
}
