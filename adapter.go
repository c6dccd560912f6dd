package main

import (
	"context"

	"bookhook/dispatch"
	"bookhook/webhook"
)

// dispatching is a dispatcher as the handlers know it.
type dispatching struct {
	*dispatch.Dispatcher
	guard *dispatch.Guard
}

// CheckURL asks the guard.
func (d dispatching) CheckURL(url string) string { return d.guard.CheckURL(url) }

// Probe tells the levels in the words of the pages.
func (d dispatching) Probe(ctx context.Context, url string) webhook.Probe {
	found := d.Dispatcher.Probe(ctx, url)
	level := map[dispatch.Level]webhook.ProbeLevel{
		dispatch.LevelOK: webhook.ProbeOK, dispatch.LevelWarn: webhook.ProbeWarn, dispatch.LevelError: webhook.ProbeBad,
	}[found.Level]
	return webhook.Probe{Level: level, Message: found.Message}
}
