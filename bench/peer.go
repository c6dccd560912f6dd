package bench

import (
	"context"
	"os/exec"
	"slices"
)

// Peer is another program that takes the same events at POST /api/v1/events and
// delivers them to one receiver.
type Peer struct {
	Name string
	// Command returns the program for one measurement, with nothing stored yet. Like
	// "bookhook serve" it prints "listening on URL", and stops at SIGTERM.
	Command  func(ctx context.Context, receiver string) (*exec.Cmd, error)
	Database int // id of its database server's process, which counts with its children
}

// RunBeside measures the highest rate of Bookhook and of the peers, and with
// Options.NewDatabase of its replicas; all take turns and have the same load and receiver. Each measurement has a database of its own; in
// each round another program is the first. Of the options, Backlog and those of Full
// have no effect. With an error, it returns what was measured until then.
func RunBeside(ctx context.Context, o Options, rounds int, peers []Peer) (*Report, error) {
	return o.run(ctx, func(r *runner, ctx context.Context) error {
		turns := []phase{{name: "saturation", way: Stored, shape: oneWebhook(o.Connections), time: o.Time}}
		for i := range peers {
			turn := turns[0]
			turn.way, turn.peer = Way(peers[i].Name), &peers[i]
			turns = append(turns, turn)
		}
		if o.NewDatabase != nil {
			turns = append(turns, o.replicated()...)
		}
		for round := range rounds {
			first := round % len(turns)
			for _, turn := range slices.Concat(turns[first:], turns[:first]) {
				if _, err := r.measure(ctx, turn); err != nil {
					return err
				}
			}
		}
		return nil
	})
}
