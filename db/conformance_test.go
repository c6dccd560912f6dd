package db_test

import (
	"slices"
	"testing"

	"bookhook/db"
	"bookhook/db/dbtest"
)

// test is one statement about a Store, made on a fresh one.
type test struct {
	name string
	run  func(*testing.T, *db.Store)
}

// suites say what every database must do, by noun.
var suites = []struct {
	noun  string
	tests []test
}{
	{"accounts", accountTests},
	{"users", userTests},
	{"outbox", outboxTests},
	{"incidents", incidentTests},
	{"fallbacks", fallbackTests},
	{"invitations", invitationTests},
	{"resets", resetTests},
	{"sessions", sessionTests},
	{"tries", tryTests},
	{"tokens", tokenTests},
	{"connections", connectionTests},
	{"rejected requests", rejectedTests},
	{"clients", clientTests},
	{"items", itemTests},
	{"limits", limitTests},
	{"drafts", draftTests},
	{"saved views", savedViewTests},
	{"webhooks", webhookTests},
	{"touched", touchedTests},
	{"isolation", isolationTests},
	{"ingest", ingestTests},
	{"lookups", lookupTests},
	{"inline", inlineTests},
	{"dispatching", dispatchingTests},
	{"order", orderTests},
	{"health", healthTests},
	{"home", homeTests},
	{"deliveries", deliveryTests},
	{"lists", listTests},
	{"searches", searchTests},
	{"attempts", attemptTests},
	{"bookings", bookingTests},
	{"events", eventTests},
	{"replays", replayTests},
	{"bulk replays", bulkTests},
	{"comparisons", reconcileTests},
	{"statistics", statsTests},
	{"retention", retentionTests},
	{"texts", textTests},
	{"model", modelTests},
}

func TestStore(t *testing.T) {
	conform(t, all, func(tb testing.TB) *db.Store {
		return openFile(tb, dbtest.At(tb))
	})
}

// withSecrets are the suites that store secrets.
var withSecrets = []string{"accounts", "connections", "drafts", "webhooks", "isolation"}

// TestStoreWithKey: what stores secrets does the same when they are encrypted.
func TestStoreWithKey(t *testing.T) {
	conform(t, withSecrets, func(tb testing.TB) *db.Store {
		s := openFile(tb, dbtest.At(tb))
		must(s.UseKey(tb.Context(), newKey(tb)))(tb)
		return s
	})
}

// all stands for all suites.
var all []string

// conform holds a database against suites. open makes an empty one, which ends
// with the test.
func conform(t *testing.T, nouns []string, open func(testing.TB) *db.Store) {
	for _, suite := range suites {
		if nouns != nil && !slices.Contains(nouns, suite.noun) {
			continue
		}
		t.Run(suite.noun, func(t *testing.T) {
			for _, test := range suite.tests {
				t.Run(test.name, func(t *testing.T) {
					t.Parallel()
					test.run(t, open(t))
				})
			}
		})
	}
}

// openFile opens the SQLite database at path until the test ends.
func openFile(tb testing.TB, path string) *db.Store {
	tb.Helper()
	s := dbtest.Create(tb, path)
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("close: %v", err)
		}
	})
	return s
}
