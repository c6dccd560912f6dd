# Bookhook. "make" lists what there is to do.

# golangci-lint is built at exactly this version and kept in Go's build cache; it brings gofumpt with it.
GOLANGCI_LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
FUZZTIME ?= 10s
# The race detector. "make test RACE=" goes without, on a machine that has no C compiler.
RACE ?= -race
# More flags for "go test", e.g. make test TESTFLAGS=-v
TESTFLAGS ?=

# Tests and checks go without the profile default.pgo (-pgo=off): with it, Go compiles everything a second time for the
# main package. The target vet looks at everything once, so tests go without (-vet=off).

# Everything but the browser tests, which want a browser.
UNITS = $$(go list ./... | grep -v -e '/e2e$$' -e '/e2e/power$$')

# Git may refuse to tell Go about a working tree that another user owns (containers); the version comes from above.
export GOFLAGS := $(shell go env GOFLAGS 2>/dev/null) -buildvcs=false

.PHONY: help run demo generate generated lint vet fmt test unit postgres deploy e2e crash chaos power setup fuzz bench peers pgo release build clean need-go need-cc

help: ## list the targets
	@sed -n 's/^\([a-z0-9]*\):.*## /\1	/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

run: need-go ## start Bookhook; make run ARGS='--listen :9000'
	go run . $(ARGS)

demo: need-go ## start Bookhook on a throw-away database with sample data
	go run . demo $(ARGS)

generate: need-go ## write the Go code of the templ files
	go tool templ generate

# The linter is last: it says the least about whether the program works, and takes the longest to fetch.
test: setup generated vet unit postgres deploy e2e lint ## everything that must hold before a change is merged

generated: need-go ## check that the Go code of the templ files is current (writes nothing)
	@out=$$(go tool templ generate -check 2>&1) || { echo "$$out"; \
		echo 'The code of some templ files is not current. Run: make generate'; exit 1; }

vet: need-go
	go vet -pgo=off ./...

lint: need-go ## golangci-lint and its formatter, gofumpt (the first time takes two minutes)
	GOFLAGS="$(GOFLAGS) -pgo=off" $(GOLANGCI_LINT) run

fmt: need-go ## format the code
	$(GOLANGCI_LINT) fmt
	go tool templ fmt .

# These do thousands of things one after the other, or run the program many times: the race detector costs minutes there,
# and sees nothing that it does not see in the tests beside them.
PLAIN = ^(TestBench|TestBenchReplicas|TestReplicaKilled|TestReplicaPaused|TestReplicaStopped|TestReplicasSetUp|TestReplicasShareOneKey|TestMoveCommand|TestMoveInterrupted|TestBackupOfPostgres|TestThereAndBack|TestInterrupted|TestVerification|TestRotateKilled|TestOpenAPIProperty|TestOpenAPIEverything|TestPrioProperty|TestAccess|TestWizardWithManyTours|TestModelFindsFaults|TestPlanIsExact|TestPlanMemory|TestBombs|TestWALIsBoundedBesideReaders|TestDeliveriesManyAreCounted)$$

# Of the tests of these packages, the race detector watches those in which things happen at once; the others do one thing
# after the other, mostly in SQLite, where it would cost minutes.
ONE_BY_ONE = . ./db ./db/sqlite ./handlers
AT_ONCE = AtOnce|OneAfterTheOther|Live|LimitHolds|Mail|Deliver|Replay|Inline|Concurrent|Close|Bounded|WhileItRuns|Demo|Metrics|Traces
STORE_AT_ONCE = ^(TestStore|TestAnotherStore|TestFenced)$$/./(parallel|same_time|once|settings|several|shared|not_counted)

unit: need-go need-cc ## unit and conformance tests
	go test $(RACE) -vet=off -pgo=off -timeout 20m -skip '$(PLAIN)' $(TESTFLAGS) $$(go list ./... | grep -v -e '^bookhook$$' -e '/db$$' -e '/db/sqlite$$' -e '/handlers$$' -e '/e2e$$' -e '/e2e/power$$')
	go test $(RACE) -vet=off -pgo=off -timeout 20m -run '$(AT_ONCE)' -skip '$(PLAIN)' $(TESTFLAGS) $(ONE_BY_ONE)
	go test $(RACE) -vet=off -pgo=off -timeout 20m -run '$(STORE_AT_ONCE)' $(TESTFLAGS) ./db
	go test -vet=off -pgo=off -timeout 20m $(TESTFLAGS) $(ONE_BY_ONE)
	go test -vet=off -pgo=off -timeout 20m -run '$(PLAIN)' $(TESTFLAGS) ./db/transfer ./replay ./reconcile

postgres: need-go ## the tests of package db on PostgreSQL, which must be installed; each run has a server of its own
	BOOKHOOK_TEST_DATABASE=postgres go test -vet=off -pgo=off -timeout 10m $(TESTFLAGS) ./db

# A module of its own: what reads these files is no dependency of Bookhook. It is large and runs once, so it is not
# optimised.
deploy: need-go ## check docs/deploy/compose.yaml and kubernetes.yaml
	cd docs/deploy/check && go test -gcflags='all=-N -l' $(TESTFLAGS) .

# Never from the cache: Go does not know that these tests depend on the whole program.
e2e: setup ## browser tests against the real binary
	go test -vet=off -count=1 -timeout 40m $(TESTFLAGS) -p 1 ./e2e ./e2e/power

# In "make e2e" the same tests kill a few times. The runs are added up in e2e/crash-counts.json.
crash: need-go ## kill it KILLS times (200) under load, and count what was lost
	BOOKHOOK_CRASH_KILLS=$(or $(KILLS),200) BOOKHOOK_CRASH_COUNTS=crash-counts.json go test -count=1 -timeout 24h -v -run '^TestCrash' $(TESTFLAGS) ./e2e

# In "make e2e" the same test goes through eight. The runs are added up in e2e/chaos-counts.json.
chaos: need-go ## have FAULTS faults (200) happen to three replicas and their PostgreSQL, which must be installed, and count what was lost
	BOOKHOOK_CHAOS_FAULTS=$(or $(FAULTS),200) BOOKHOOK_CHAOS_COUNTS=chaos-counts.json go test -count=1 -timeout 24h -v -run '^TestChaos$$' $(TESTFLAGS) ./e2e

# In "make e2e" the same tests open some hundred images. The runs are added up in e2e/power/counts.json.
power: need-go ## cut the power on paper: open IMAGES images (20000) of what a power cut could leave, and count (Linux with strace)
	BOOKHOOK_POWER_IMAGES=$(or $(IMAGES),20000) BOOKHOOK_POWER_COUNTS=counts.json go test -count=1 -timeout 24h -v -run '^TestPower' $(TESTFLAGS) ./e2e/power

setup: need-go ## install what the browser tests need (into e2e; on Debian as root also packages)
	@e2e/setup.sh

fuzz: need-go ## run every fuzz test for FUZZTIME (10s)
	@set -e; for pkg in $(UNITS); do \
		names=$$(go test -list '^Fuzz' $$pkg); \
		for name in $$(echo "$$names" | grep '^Fuzz'); do \
			echo "$$pkg $$name"; \
			go test -run '^$$' -fuzz "^$$name\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 20x $$pkg; \
		done; \
	done

bench: need-go ## benchmarks and "bookhook bench"; make bench BENCH=Match for some of the first, ARGS=--full for all of the last
	go test -pgo=off -run '^$$' -bench '$(or $(BENCH),.)' -benchmem $(UNITS)
	go run . bench --seconds 10 $(ARGS)

# Go builds with the profile default.pgo by itself. It need not be of exactly this code: renew it when the way of a delivery has changed.
pgo: need-go ## measure where the processor's time goes, and write it to default.pgo, for which the compiler then optimises (three minutes)
	rm -rf .pgo && mkdir .pgo
	BOOKHOOK_TEST_PROFILES=$(CURDIR)/.pgo go test -count=1 -trimpath -pgo=off -timeout 30m -v -run '^TestProfile$$' .
	go tool pprof -proto .pgo/*.pprof >default.pgo
	rm -rf .pgo

peers: need-go ## measure Bookhook beside River on PostgreSQL, which must be installed; make peers ARGS='--rounds 5'
	cd bench/peers && go run . $(ARGS)

release: need-go ## build a release of a tag into dist, signed with BOOKHOOK_RELEASE_KEY; make release VERSION=v1.2.3
	.ci/release $(VERSION)

build: need-go ## the static binary, ./bookhook
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.version=$(VERSION)' -o bookhook .

clean: ## remove what the other targets made
	rm -rf bookhook e2e/.cache e2e/node_modules e2e/screenshots

need-go:
	@command -v go >/dev/null || { echo 'Go is missing: install Go 1.26 or newer, https://go.dev/doc/install'; exit 1; }

need-cc:
	@[ -z '$(RACE)' ] || { [ "$$(go env CGO_ENABLED)" = 1 ] && command -v $$(go env CC) >/dev/null; } || { \
		echo 'The race detector needs cgo and a C compiler. Install gcc or clang, or go without: make $(MAKECMDGOALS) RACE='; exit 1; }
