// Package traces makes one OpenTelemetry trace of each event: it begins when the event
// is accepted, and each attempt to deliver it is a span of it, up to the last, whichever
// process makes it and however much later.
//
// The ids of a trace follow from the id of the event, so that nothing has to be stored
// for it. No span has anything of a booking, a secret, or more of a receiver's URL than
// its host.
package traces

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"bookhook/webhook"
)

// Wanted reports whether the standard variables of OpenTelemetry ask for traces. It
// returns an error if they ask for what there is not.
func Wanted() (bool, error) {
	to := ofTraces("ENDPOINT")
	if to == "" || strings.EqualFold(os.Getenv("OTEL_SDK_DISABLED"), "true") || os.Getenv("OTEL_TRACES_EXPORTER") == "none" {
		return false, nil
	}
	if protocol := ofTraces("PROTOCOL"); protocol != "" && protocol != "http/protobuf" {
		return false, fmt.Errorf("the protocol for traces is %q (OTEL_EXPORTER_OTLP_PROTOCOL), but Bookhook sends them as http/protobuf only", protocol)
	}
	if u, err := url.Parse(to); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false, errors.New("the address for traces (OTEL_EXPORTER_OTLP_ENDPOINT) has to begin with http:// or https://, such as http://127.0.0.1:4318")
	}
	return true, nil
}

// ofTraces returns a variable of the exporter: the one for traces alone goes first.
func ofTraces(name string) string {
	return cmp.Or(os.Getenv("OTEL_EXPORTER_OTLP_TRACES_"+name), os.Getenv("OTEL_EXPORTER_OTLP_"+name))
}

// Tracer makes the spans of one process.
type Tracer struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	instance []byte // part of all ids, so that two instances do not use the same
}

// New returns a tracer that sends spans as the standard variables say
// (OTEL_EXPORTER_OTLP_…, OTEL_TRACES_SAMPLER, OTEL_RESOURCE_ATTRIBUTES, …). Whatever
// goes wrong with sending is logged, and the spans are lost.
func New(ctx context.Context, version string, instance []byte, log *slog.Logger) (*Tracer, error) {
	described, err := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", "bookhook"), attribute.String("service.version", version)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	if err != nil {
		return nil, fmt.Errorf("read the OTEL variables: %w", err)
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the OTEL variables: %w", err)
	}
	otel.SetLogger(logr.Discard()) // it would print variables that have secrets
	otel.SetErrorHandler(&failures{log: log})
	provider := sdk.NewTracerProvider(sdk.WithBatcher(exporter), sdk.WithResource(described), sdk.WithIDGenerator(ids{}))
	return &Tracer{provider, provider.Tracer("bookhook", trace.WithInstrumentationVersion(version)), instance}, nil
}

// logPause is how often at most it is logged that traces could not be sent.
const logPause = time.Minute

// failures logs what goes wrong with sending. The answer of a collector may be long.
type failures struct {
	log   *slog.Logger
	mu    sync.Mutex
	since int // not logged yet
	at    time.Time
}

// Handle implements otel.ErrorHandler.
func (f *failures) Handle(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since++
	if now := time.Now(); now.Sub(f.at) >= logPause {
		f.log.Warn("traces could not be sent", "error", webhook.Truncate(err.Error(), 300), "times", f.since)
		f.since, f.at = 0, now
	}
}

// Close sends what has not been sent, as long as ctx allows.
func (t *Tracer) Close(ctx context.Context) error {
	if err := t.provider.Shutdown(ctx); err != nil {
		return fmt.Errorf("send the last traces: %w", err)
	}
	return nil
}

// event starts the span of an event, which is the first of its trace. Whoever only
// needs a parent for other spans does not end it, and then it is not sent.
func (t *Tracer) event(ctx context.Context, id webhook.EventID, start time.Time) (context.Context, trace.Span) {
	sum := sha256.Sum256(append([]byte(id.String()+" "), t.instance...))
	ctx = context.WithValue(context.WithoutCancel(ctx), rootKey{}, root{trace.TraceID(sum[:16]), trace.SpanID(sum[16:24])})
	return t.tracer.Start(ctx, "event", trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(start))
}

func (t *Tracer) accepted(ctx context.Context, a *webhook.Accepted) {
	_, span := t.event(ctx, a.Event.ID, a.Event.ReceivedAt)
	span.SetAttributes(attribute.String("bookhook.event.id", a.Event.ID.String()), attribute.String("bookhook.event.type", a.Event.Type),
		attribute.String("bookhook.platform", a.Event.Platform), attribute.Int("bookhook.deliveries", webhook.CountMatched(a.Decisions)))
	span.End()
}

func (t *Tracer) attempt(ctx context.Context, r webhook.Result) {
	a := r.Attempt
	ctx, _ = t.event(ctx, r.Event, a.StartedAt)
	_, span := t.tracer.Start(ctx, "attempt", trace.WithSpanKind(trace.SpanKindClient), trace.WithTimestamp(a.StartedAt), trace.WithAttributes(
		attribute.String("bookhook.event.id", r.Event.String()), attribute.String("bookhook.delivery.id", r.Delivery.String()),
		attribute.String("bookhook.webhook.id", r.Webhook.String()), attribute.Int("bookhook.attempt", a.Number),
		attribute.String("bookhook.delivery.state", string(r.State)), attribute.String("http.request.method", a.Method),
	))
	if to, err := url.Parse(a.URL); err == nil {
		span.SetAttributes(attribute.String("server.address", to.Hostname()))
	}
	if a.Status != 0 {
		span.SetAttributes(attribute.Int("http.response.status_code", a.Status))
	}
	if a.Failure != "" {
		span.SetAttributes(attribute.String("error.type", string(a.Failure)))
		span.SetStatus(codes.Error, "")
	}
	span.End(trace.WithTimestamp(a.StartedAt.Add(a.Duration)))
}

// ids generates the ids of spans: those of the first span of a trace are in its context.
type ids struct{}

type rootKey struct{}

type root struct {
	trace trace.TraceID
	span  trace.SpanID
}

// NewIDs returns the ids of the first span of a trace.
func (g ids) NewIDs(ctx context.Context) (trace.TraceID, trace.SpanID) {
	r, _ := ctx.Value(rootKey{}).(root)
	return r.trace, r.span
}

// NewSpanID returns a random id.
func (g ids) NewSpanID(context.Context, trace.TraceID) (id trace.SpanID) {
	_, _ = rand.Read(id[:]) // never fails
	return id
}
