package webhook_test

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"bookhook/webhook"
)

func TestInvalidAdd(t *testing.T) {
	got := webhook.Invalid{}
	got.Add("url", "at most %d characters", 2000)
	got.Add("url", "the second problem of a field")
	got.Add("name", "%s", "100 % wrong")
	want := webhook.Invalid{"url": "at most 2000 characters", "name": "100 % wrong"}
	if !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := got.Error(), "name: 100 % wrong; url: at most 2000 characters"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInvalidMerge(t *testing.T) {
	got := webhook.Invalid{"url": "first"}
	got.Merge(webhook.Invalid{"url": "second", "name": "10 %d"})
	got.Merge(nil)
	if want := (webhook.Invalid{"url": "first", "name": "10 %d"}); !maps.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestIDConflict(t *testing.T) {
	err := fmt.Errorf("accept: %w", webhook.IDConflict{ExternalID: "tc-1"})
	if !errors.Is(err, webhook.ErrConflict) || errors.Is(err, webhook.ErrNotFound) {
		t.Errorf("got %v, want it to be ErrConflict alone", err)
	}
	if got, ok := errors.AsType[webhook.IDConflict](err); !ok || got.ExternalID != "tc-1" {
		t.Errorf("got %+v, %v, want the external id", got, ok)
	}
}

func TestInvalidErr(t *testing.T) {
	for _, none := range []webhook.Invalid{nil, {}} {
		if err := none.Err(); err != nil {
			t.Errorf("nothing wrong: got %v, want nil", err)
		}
	}
	err := fmt.Errorf("save the webhook: %w", webhook.Invalid{"name": "missing"}.Err())
	if got, ok := errors.AsType[webhook.Invalid](err); !ok || got["name"] != "missing" {
		t.Errorf("got %v, %v, want the wrapped Invalid", got, ok)
	}
	if errors.Is(err, webhook.ErrNotFound) {
		t.Error("an Invalid is ErrNotFound, want it not to be")
	}
}
