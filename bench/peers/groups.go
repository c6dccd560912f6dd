package main

import (
	"context"
	"sync"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
)

// maxGroup is how many events share a commit.
const maxGroup = 1000

// groups inserts events that wait together, with one COPY and one commit. While it
// commits, the next group gathers; two groups at once were slower, and so were River's
// INSERTs in place of COPY.
type groups struct {
	client  *river.Client[pgx.Tx]
	waiting chan waiting
	writing sync.WaitGroup
}

// waiting is one event, and where its sender waits for the commit.
type waiting struct {
	event     []byte
	committed chan error
}

func newGroups(client *river.Client[pgx.Tx]) *groups {
	g := &groups{client: client, waiting: make(chan waiting, maxGroup)}
	g.writing.Go(g.write)
	return g
}

// stop stops writing, when no more events come.
func (g *groups) stop() {
	close(g.waiting)
	g.writing.Wait()
}

// insert is an inserter.
func (g *groups) insert(_ context.Context, event []byte) error {
	w := waiting{event, make(chan error, 1)}
	g.waiting <- w
	return <-w.committed
}

// write inserts what waits, again and again.
func (g *groups) write() {
	for first := range g.waiting {
		group := g.fill([]waiting{first})
		jobs := make([]river.InsertManyParams, len(group))
		for i, w := range group {
			jobs[i].Args = eventArgs{w.event}
		}
		_, err := g.client.InsertManyFast(context.Background(), jobs)
		for _, w := range group {
			w.committed <- err
		}
	}
}

// fill adds what waits already.
func (g *groups) fill(group []waiting) []waiting {
	for len(group) < maxGroup {
		select {
		case w, ok := <-g.waiting:
			if !ok {
				return group
			}
			group = append(group, w)
		default:
			return group
		}
	}
	return group
}
