package traces

import (
	"testing"
	"time"

	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"bookhook/webhook"
)

// TestSampling: either all of a trace is sent or nothing, whichever process makes the
// spans; and instances with equal ids of events have traces of their own.
func TestSampling(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	process := func(instance string) *Tracer {
		provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder), sdk.WithIDGenerator(ids{}), sdk.WithSampler(sdk.ParentBased(sdk.TraceIDRatioBased(.5))))
		return &Tracer{provider, provider.Tracer(""), []byte(instance)}
	}
	const events = 200
	for id := range webhook.EventID(events) {
		process("a").accepted(t.Context(), &webhook.Accepted{Event: webhook.Event{ID: id + 1, ReceivedAt: time.Unix(1, 0)}})
		process("a").attempt(t.Context(), webhook.Result{Event: id + 1})
	}
	of := map[string]int{}
	for _, span := range recorder.Ended() {
		of[span.SpanContext().TraceID().String()]++
	}
	for id, spans := range of {
		if spans != 2 {
			t.Errorf("trace %s has %d spans, want 2", id, spans)
		}
	}
	if len(of) < events/4 || len(of) > events*3/4 {
		t.Errorf("%d of %d traces were sent, want half of them", len(of), events)
	}
	_, one := process("a").event(t.Context(), 1, time.Unix(1, 0))
	_, other := process("b").event(t.Context(), 1, time.Unix(1, 0))
	if one.SpanContext().TraceID() == other.SpanContext().TraceID() {
		t.Error("two instances have the same trace")
	}
}
