package webhook_test

import (
	"errors"
	"fmt"
	"reflect"
	"testing"

	"bookhook/webhook"
)

func message(code string, args ...string) webhook.Message {
	return webhook.Message{Code: code, Args: args}
}

func TestInvalidAdd(t *testing.T) {
	got := webhook.Invalid{}
	got.Add("url", "too_long", 2000)
	got.Add("url", "second")
	got.Add("name", "wrong", "100 % wrong")
	got.AddMessage("type", webhook.Message{})
	want := webhook.Invalid{"url": message("too_long", "2000"), "name": message("wrong", "100 % wrong")}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := got.Error(), "name: wrong (100 % wrong); url: too_long (2000)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestInvalidMerge(t *testing.T) {
	got := webhook.Invalid{"url": message("first")}
	got.Merge(webhook.Invalid{"url": message("second"), "name": message("third")})
	got.Merge(nil)
	if want := (webhook.Invalid{"url": message("first"), "name": message("third")}); !reflect.DeepEqual(got, want) {
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
	err := fmt.Errorf("save the webhook: %w", webhook.Invalid{"name": message("missing")}.Err())
	if got, ok := errors.AsType[webhook.Invalid](err); !ok || got["name"].Code != "missing" {
		t.Errorf("got %v, %v, want the wrapped Invalid", got, ok)
	}
	if errors.Is(err, webhook.ErrNotFound) {
		t.Error("an Invalid is ErrNotFound, want it not to be")
	}
}
