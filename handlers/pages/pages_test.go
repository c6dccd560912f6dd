package pages

import (
	"context"
	"net/http/httptest"
	"sync"
	"testing"

	"github.com/gofiber/fiber/v2"

	"bookhook/webhook"
)

// unanswered is a store whose deliveries never have a result.
type unanswered struct {
	DeliveryStore
	asked chan bool
}

func (u unanswered) Delivery(ctx context.Context, _ webhook.AccountID, _ webhook.DeliveryID) (webhook.Delivery, error) {
	u.asked <- true
	<-ctx.Done()
	return webhook.Delivery{}, ctx.Err()
}

// TestResultsOfOthers: an account whose receivers do not answer leaves room for other
// accounts to wait for their results.
func TestResultsOfOthers(t *testing.T) {
	t.Parallel()
	waits := make(chan bool, 3*maxWaiting) // false: it does not wait, or no longer
	pg := New(Options{Store: Store{DeliveryStore: unanswered{asked: waits}}})
	var ended sync.WaitGroup
	defer ended.Wait()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	wait := func(account webhook.AccountID) {
		ended.Go(func() {
			_, _ = pg.awaitResult(ctx, webhook.Delivery{Account: account})
			waits <- false
		})
	}
	for range maxWaiting {
		wait(1)
		<-waits
	}
	if wait(2); !<-waits {
		t.Error("the other account does not wait for its result")
	}
}

func TestLocalPath(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"/deliveries?state=failed": "/deliveries?state=failed",
		"/":                        "/",
		"":                         "/other",
		"https://evil.example/":    "/other",
		"//evil.example/":          "/other",
		`/\evil.example/`:          "/other",
		"javascript:alert(1)":      "/other",
		"deliveries":               "/other",
		"/\n/evil.example":         "/other",
		"/\t/evil.example":         "/other",
	} {
		if got := localPath(path, "/other"); got != want {
			t.Errorf("%q: got %q, want %q", path, got, want)
		}
	}
}

func TestPathOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/deliveries?state=failed", "/deliveries?state=failed"},
		{"POST", "/channels/import", "/channels"},
		{"POST", "/tours", "/tours"},
		{"POST", "/drafts/drf_1/name", "/drafts/drf_1/name"},
		{"POST", "/drafts/drf_1/test", "/drafts/drf_1/review"},
		{"POST", "/settings/people/usr_1/remove", "/settings/people"},
		{"POST", "/settings/people/usr_1/password", "/settings/people"},
		{"POST", "/settings/password", "/settings"},
		{"POST", "/admin/accounts/acc_1/limit", "/admin/accounts"},
		{"POST", "/", "/"},
	} {
		f := fiber.New(fiber.Config{Immutable: true})
		var got string
		f.All("/*", func(c *fiber.Ctx) error {
			got = pathOf(c)
			return nil
		})
		if _, err := f.Test(httptest.NewRequest(c.method, c.path, nil)); err != nil {
			t.Fatal(err)
		}
		if got != c.want {
			t.Errorf("%s %s: got %q, want %q", c.method, c.path, got, c.want)
		}
	}
}
