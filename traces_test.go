package main

import (
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	otlp "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collect starts a collector of OpenTelemetry, and returns its address and the spans it gets.
func collect(t *testing.T) (string, chan *spans.Span) {
	t.Helper()
	got := make(chan *spans.Span, 1000)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var sent otlp.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil || r.URL.Path != "/v1/traces" {
			t.Errorf("%s: %v", r.URL, err)
		}
		for _, secret := range []string{"Night Tours", "Accounting", "RIVER-1", "/secret/path"} {
			if strings.Contains(string(body), secret) {
				t.Errorf("a span has %q", secret)
			}
		}
		for _, resource := range sent.GetResourceSpans() {
			if name := attributesOf(resource.GetResource().GetAttributes())["service.name"]; name != "bookhook" {
				t.Errorf("the service is %q", name)
			}
			for _, scope := range resource.GetScopeSpans() {
				for _, span := range scope.GetSpans() {
					got <- span
				}
			}
		}
	}))
	t.Cleanup(srv.Close)
	return srv.URL, got
}

// TestTraces: an event and the attempts to deliver it are one trace, also after Bookhook
// was started again.
func TestTraces(t *testing.T) {
	url, got := collect(t)
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
	t.Setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
	database := filepath.Join(t.TempDir(), "bookhook.db")
	answers := make(chan int, 1)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(<-answers) }))
	t.Cleanup(receiver.Close)
	args := []string{"--listen", "127.0.0.1:0", "--database", database, "--allow-private-targets", "127.0.0.1"}
	srv := launch(t, args...)
	answers <- http.StatusInternalServerError
	sell(t, database, srv.url, receiver.URL+"/secret/path?booking=RIVER-1")
	event, first := nextSpan(t, got, "event"), nextSpan(t, got, "attempt")
	if len(event.GetParentSpanId()) != 0 || attributesOf(event.GetAttributes())["bookhook.deliveries"] != "1" {
		t.Errorf("the event is %v", event)
	}
	partOf(t, event, first)
	if a := attributesOf(first.GetAttributes()); a["error.type"] != "status" || a["http.response.status_code"] != "500" || a["server.address"] != "127.0.0.1" || a["bookhook.attempt"] != "1" ||
		first.GetStatus().GetCode() != spans.Status_STATUS_CODE_ERROR {
		t.Errorf("the first attempt is %v", first)
	}
	srv.stop()

	launch(t, args...)
	answers <- http.StatusOK
	second := nextSpan(t, got, "attempt")
	partOf(t, event, second)
	if a := attributesOf(second.GetAttributes()); a["bookhook.attempt"] != "2" || a["bookhook.delivery.state"] != "delivered" || second.GetStatus().GetCode() == spans.Status_STATUS_CODE_ERROR {
		t.Errorf("the second attempt is %v", second)
	}
}

// TestTracesProtocol: what cannot be done is said, not left out.
func TestTracesProtocol(t *testing.T) {
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
	t.Setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
	refused(t, `the protocol for traces is "grpc"`, 1, "", "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "bookhook.db"))
}

// TestTracesAddress: an address that would silently lead nowhere is refused.
func TestTracesAddress(t *testing.T) {
	for _, address := range []string{"127.0.0.1:4318", "collector:4318", "http://"} {
		t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
		refused(t, "has to begin with http:// or https://", 1, "", "--listen", "127.0.0.1:0", "--database", filepath.Join(t.TempDir(), "bookhook.db"))
	}
}

func nextSpan(t *testing.T, got chan *spans.Span, name string) *spans.Span {
	t.Helper()
	select {
	case span := <-got:
		if span.GetName() != name {
			t.Fatalf("got %v, want %s", span, name)
		}
		return span
	case <-time.After(time.Minute):
		t.Fatalf("no %s within a minute", name)
		return nil
	}
}

// partOf checks that a span is in the trace of the event, and below it.
func partOf(t *testing.T, event, span *spans.Span) {
	t.Helper()
	if got, want := hex.EncodeToString(span.GetTraceId()), hex.EncodeToString(event.GetTraceId()); got != want || len(want) != 32 {
		t.Errorf("got trace %s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(span.GetParentSpanId()), hex.EncodeToString(event.GetSpanId()); got != want || len(want) != 16 {
		t.Errorf("got parent %s, want %s", got, want)
	}
}

func attributesOf(all []*common.KeyValue) map[string]string {
	texts := map[string]string{}
	for _, a := range all {
		texts[a.GetKey()] = a.GetValue().GetStringValue()
		if n, isInt := a.GetValue().GetValue().(*common.AnyValue_IntValue); isInt {
			texts[a.GetKey()] = strconv.FormatInt(n.IntValue, 10)
		}
	}
	return texts
}
