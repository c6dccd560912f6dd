package e2e

import (
	"testing"

	"github.com/anishathalye/porcupine"
)

// op is an operation from one moment to another.
func op(call, ret int64, in, out any) porcupine.Operation {
	return porcupine.Operation{Input: in, Output: out, Call: call, Return: ret}
}

// The checker finds what it is there for: each history with a fault beside the nearest one without.
func TestCrashHistoryFaultsAreFound(t *testing.T) {
	t.Parallel()
	post, other, read := eventCall{body: "a"}, eventCall{body: "b"}, eventCall{read: true}
	in, out := func(event string) queued { return queued{event: event} }, func(event string) queued { return queued{true, event} }
	took := deliveryAnswer{took: 1 << 1}
	shown := deliveryAnswer{delivered: true, ended: 1, took: 1 << 1}
	for _, tt := range []struct {
		name    string
		model   porcupine.Model
		history []porcupine.Operation
		want    porcupine.CheckResult
	}{
		{"an event that is there", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, read, eventAnswer{200, "evt"})}, porcupine.Ok},
		{"a lost event", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, read, eventAnswer{404, ""})}, porcupine.Illegal},
		{"an event without an answer that is not there", eventModel, []porcupine.Operation{op(1, never, post, eventAnswer{}), op(3, 4, read, eventAnswer{404, ""})}, porcupine.Ok},
		{"one that was there and is gone", eventModel, []porcupine.Operation{
			op(1, never, post, eventAnswer{}), op(3, 4, post, eventAnswer{200, "evt"}), op(5, 6, read, eventAnswer{404, ""}),
		}, porcupine.Illegal},
		{"the same event again", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, post, eventAnswer{200, "evt"})}, porcupine.Ok},
		{"two results", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, post, eventAnswer{200, "evt2"})}, porcupine.Illegal},
		{"accepted twice", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, post, eventAnswer{202, "evt"})}, porcupine.Illegal},
		{"another event with its id", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, other, eventAnswer{409, ""})}, porcupine.Ok},
		{"taken for the same", eventModel, []porcupine.Operation{op(1, 2, post, eventAnswer{202, "evt"}), op(3, 4, other, eventAnswer{200, "evt"})}, porcupine.Illegal},

		{"a queue", queueModel, []porcupine.Operation{op(1, 2, in("a"), nil), op(3, 4, in("b"), nil), op(5, 6, out("a"), nil), op(7, 8, out("b"), nil)}, porcupine.Ok},
		{"accepted at the same time", queueModel, []porcupine.Operation{op(1, 4, in("a"), nil), op(2, 3, in("b"), nil), op(5, 6, out("b"), nil), op(7, 8, out("a"), nil)}, porcupine.Ok},
		{"one that overtakes", queueModel, []porcupine.Operation{op(1, 2, in("a"), nil), op(3, 4, in("b"), nil), op(5, 6, out("b"), nil), op(7, 8, out("a"), nil)}, porcupine.Illegal},
		{"one that overtakes what still waits", queueModel, []porcupine.Operation{op(1, 2, in("a"), nil), op(3, 4, in("b"), nil), op(5, 6, out("b"), nil)}, porcupine.Illegal},
		{"one that nobody posted", queueModel, []porcupine.Operation{op(1, 2, out("a"), nil)}, porcupine.Illegal},

		{"a delivery", deliveryModel, []porcupine.Operation{op(1, 2, isRead, deliveryAnswer{}), op(3, 4, isTaken, took), op(5, 6, isRead, shown)}, porcupine.Ok},
		{"delivered before it was taken", deliveryModel, []porcupine.Operation{op(1, 2, isRead, shown), op(3, 4, isTaken, took)}, porcupine.Illegal},
		{"backwards", deliveryModel, []porcupine.Operation{
			op(1, 2, isTaken, took), op(3, 4, isRead, shown), op(5, 6, isRead, deliveryAnswer{ended: 1, took: 1 << 1}),
		}, porcupine.Illegal},
		{"backwards by a replay", deliveryModel, []porcupine.Operation{
			op(1, 2, isTaken, took), op(3, 4, isRead, shown), op(5, never, isReplayed, deliveryAnswer{}), op(6, 7, isRead, deliveryAnswer{ended: 1, took: 1 << 1}),
		}, porcupine.Ok},
		{"an attempt that is gone", deliveryModel, []porcupine.Operation{op(1, 2, isRead, deliveryAnswer{ended: 2}), op(3, 4, isRead, deliveryAnswer{ended: 1})}, porcupine.Illegal},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := porcupine.CheckOperationsTimeout(tt.model, tt.history, patience); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
