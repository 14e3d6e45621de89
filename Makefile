# What there is to do here: `make help`. Go is needed for all of it; the targets
# say, or install, what else is missing.

SHELL := /bin/sh
# A Go that was unpacked the usual way is found without being on PATH.
export PATH := $(PATH):/usr/local/go/bin
GO ?= go

GOLANGCI_LINT := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0

# Whether the service is built by its profile (auto), which takes some minutes with cold caches, or
# not (off).
PGO ?= auto
dev conformance: PGO := off

# How the service is built, and what has to be there before it: alike, so that what they share,
# Temporal's SDK above all, is compiled once. (A build with cgo, or with paths, shares nothing.)
GIVEN := $(shell $(GO) env GOFLAGS 2>/dev/null)
ALIKE := CGO_ENABLED=0 GOFLAGS='$(GIVEN) -trimpath'

# How what serves only us is built, and the service by `make dev`: in half the compiler's time, by
# fewer garbage collections of its own, without what debuggers read, and without inlining but where
# the service spends its time: in the interpreter, in runtime, and in the heart of Go's library.
PLAIN := github.com go.temporal.io google.golang.org golang.org k8s.io workflow-worker \
	crypto database debug encoding go html log mime net testing text vendor
INLINED := github.com/dop251/goja github.com/dlclark/regexp2/v2 workflow-worker/runtime
FLAGS := CGO_ENABLED=0 GOFLAGS='$(GIVEN) -trimpath -ldflags=-w -gcflags=all=-dwarf=false \
$(foreach path,$(PLAIN),"-gcflags=$(path)/...=-dwarf=false -l") $(foreach path,$(INLINED),-gcflags=$(path)/...=-dwarf=false)'
SOON := GOGC=$${GOGC:-800} $(FLAGS)

# What the program says of itself: the tag, or the commit, and whether it was changed since.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null)
REVISION ?= $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -X workflow-worker/runtime/buildid.version=$(VERSION) -X workflow-worker/runtime/buildid.revision=$(REVISION)

# Packages and flags of `make test`: make test PKGS=./cdc TESTFLAGS='-run Gate -v'
PKGS ?= ./...
TESTFLAGS ?=

# The race detector watches our code and all that it shares with others, not the inside of the
# interpreter and of the compiler, which take most of the time with it: one goroutine at a time uses
# them, and where two would, our own accesses around them show it.
RACE := -race $(foreach module,github.com/dop251/goja github.com/evanw/esbuild,-gcflags='$(module)/...=-race=false')

# Tests that the race detector makes too slow to tell the truth: their code needs most of its budget,
# or they are about load. They skip themselves by race.AtSpeed, and run without it.
AT_SPEED := FeaturesOfTheLanguage WithoutAwait BelowTheLimit RanForTooLong PackagesKnow PackagesGenerate \
	PackagesThatPeopleUse WithoutMovingTheRest TakesLongMovesOut AHistoryAndCodePart ManyPatches \
	AllAgain HoldsACore WhoeverHoards TenThousand RandomEdits StormOfReloads \
	ShortOfMemory KeptOfManyTasks NothingAWorkflowDoes RowsThatHoard AReplicaThatComes AReplicaThatIs
AT_SPEED_PKGS := ./cmd/workflow-worker ./runtime ./runtime/activity ./runtime/sandbox ./runtime/workflow
empty :=
either = $(subst $(empty) $(empty),|,$(strip $(1)))

# Temporal's TypeScript SDK, bundled for goja. One file stands for all that the generator writes.
BUNDLE := runtime/bundle/dist/workflow.js
BUNDLE_SOURCES := $(shell find runtime/bundle/ts runtime/bundle/generate runtime/bundle/npm -type f 2>/dev/null) \
	runtime/bundle/package.json runtime/bundle/package-lock.json
# What Intl knows of languages and time zones.
LOCALES := runtime/language/intl/cldr/dist/cldr.zip
LOCALE_SOURCES := $(shell find runtime/language/intl/cldr/generate runtime/bundle/npm -type f 2>/dev/null) \
	runtime/language/intl/cldr/package.json runtime/language/intl/cldr/package-lock.json

NPM_FOLDERS := runtime/bundle runtime/language/intl/cldr

.DEFAULT_GOAL := help
.PHONY: help dev demo build bundle test quick lint conformance chart schema sbom digests bench profile clean go npm gcc

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# Built, not `go run`, which adds a line of its own to an error. It builds the service while the
# servers start, and what it takes to start them is little: no Temporal SDK, no pgx. What it runs by Go
# itself is built as the rest.
dev: export INSTALL := yes
dev: go ## PostgreSQL, Temporal with its web UI, and the service on port 3011; Ctrl-C stops all
	@[ -x .local/bin/dev ] || echo "  build        what starts the servers; with nothing compiled yet that takes a quarter of a minute"
	@$(SOON) $(GO) build -o .local/bin/dev ./cmd/dev
	@exec env $(FLAGS) .local/bin/dev -build '$(MAKE) --no-print-directory PGO=$(PGO) dev-service'

# The compiler works while packages are fetched. Nothing is compiled twice: what bundles the
# TypeScript SDK and the service's other dependencies share little, and none of what takes long.
.PHONY: dev-service compiled generated packages generator
dev-service:
	@$(MAKE) --no-print-directory -j2 generated compiled
	@$(if $(filter off,$(PGO)),$(SOON) $(GO) build -pgo=off -ldflags '-w $(LDFLAGS)' -o bin/workflow-worker ./cmd/workflow-worker,$(MAKE) --no-print-directory build)

# What others wrote of the service, which needs no bundle.
compiled:
	@$(SOON) $(GO) build $$($(GO) list -e -deps -f '{{with .Module}}{{if not .Main}}{{$$.ImportPath}}{{end}}{{end}}' ./cmd/workflow-worker | grep -v ^github.com/evanw/)

generated:
	@MAKEFLAGS= $(MAKE) --no-print-directory -q $(BUNDLE) $(LOCALES) || MAKEFLAGS= $(MAKE) --no-print-directory -j2 packages generator
	@MAKEFLAGS= $(MAKE) --no-print-directory bundle

packages:
	$(call needs_npm,$(NPM_FOLDERS))
	@$(SOON) $(GO) run ./runtime/bundle/npm/install $(NPM_FOLDERS)

generator:
	@$(SOON) $(GO) build ./runtime/bundle/generate ./runtime/bundle/npm

demo: go ## against a running `make dev`: write workflows as rows, run them, change their code, run them again
	@$(SOON) $(GO) build -o .local/bin/ ./cmd/demo
	@exec .local/bin/demo

build: bundle ## the service: bin/workflow-worker
	$(ALIKE) $(GO) build -pgo=$(PGO) -ldflags '$(LDFLAGS)' -o bin/workflow-worker ./cmd/workflow-worker

bundle: go $(BUNDLE) $(LOCALES) ## Temporal's TypeScript SDK for goja, and the data of Intl

# npm is asked for where the packages can't be fetched without: where npm_config_registry, or an
# .npmrc, names no registry, or one to log in to.
needs_npm = @if $(SOON) $(GO) run ./runtime/bundle/npm/install -needs-npm $(1) 2>/dev/null; then MAKEFLAGS= $(MAKE) --no-print-directory npm; fi

$(BUNDLE): $(BUNDLE_SOURCES)
	$(call needs_npm,runtime/bundle)
	@$(SOON) $(GO) generate ./runtime/bundle
	@touch $@

$(LOCALES): $(LOCALE_SOURCES)
	$(call needs_npm,runtime/language/intl/cldr)
	@$(SOON) $(GO) generate ./runtime/language/intl/cldr
	@touch $@

# Built, not `go run`: that one doesn't hand a SIGTERM on, and the servers would stay.
# A package's tests may take longer than go test's ten minutes where all run at once on two cores.
# What go vet finds, `make lint` finds.
# The race detector's own end of a process takes a second, in case something else is still running.
# The service that the tests of several packages run is linked once, and what runs at speed is
# compiled as the image's program, whose test comes before.
test: WHOLE := $(filter ./...,$(PKGS))
test: RACED := $(CURDIR)/.local/test/workflow-worker
test: export GORACE := atexit_sleep_ms=0
test: export INSTALL := yes
test: bundle gcc ## all tests with -race against a real PostgreSQL and Temporal that it starts itself
	@$(SOON) $(GO) build -o .local/bin/withstack ./cmd/withstack
	$(if $(WHOLE),$(GO) build -buildvcs=false -pgo=off $(RACE) -o $(RACED) ./cmd/workflow-worker)
	$(if $(WHOLE),TEST_SERVICE_PROGRAM='$(RACED)' ).local/bin/withstack -- $(GO) test -pgo=off -vet=off $(RACE) -timeout 30m $(TESTFLAGS) $(PKGS)
	$(if $(WHOLE),$(ALIKE) .local/bin/withstack -- $(GO) test -pgo=off -vet=off -p 1 -timeout 30m -run '$(call either,$(AT_SPEED))' $(AT_SPEED_PKGS))

# Since where `make quick` looks for changes: the upstream's commit, or the last one.
SINCE ?= $(shell git merge-base HEAD @{upstream} 2>/dev/null || echo HEAD)

# The folders with Go files in which something changed, a folder testdata counting as the one above it.
CHANGED = { git diff --name-only --diff-filter=d $(SINCE); git ls-files --others --exclude-standard; } | \
	sed -E 's,/testdata/.*,/x,; s,/[^/]*$$,,' | sort -u | while read -r d; do ls "$$d"/*.go >/dev/null 2>&1 && echo "./$$d"; done

quick: export INSTALL := yes
quick: bundle ## lint and test the packages that changed, without what takes long: make quick SINCE=HEAD~3
	@$(SOON) $(GO) build -o .local/bin/withstack ./cmd/withstack
	@$(GO) run ./docker/stack/ensure $(GOLANGCI_LINT) >/dev/null
	@set -- $$($(CHANGED)); if [ $$# = 0 ]; then echo "no package changed since $(SINCE)"; exit 0; fi; \
	echo "$$@"; $(GO) vet ./... && .local/bin/golangci-lint run "$$@" && .local/bin/withstack -- $(GO) test -pgo=off -short $(TESTFLAGS) "$$@"

# golangci-lint runs gofmt and go vet too. The code is linted as built, with the bundle.
lint: export INSTALL := yes
lint: bundle ## golangci-lint with gofmt and go vet; go mod tidy
	$(GO) mod tidy -diff
	@$(GO) run ./docker/stack/ensure $(GOLANGCI_LINT) >/dev/null
	.local/bin/golangci-lint run

conformance: build ## cases that must come out as on Temporal's own worker: make conformance RUN=timer V=1 DIFF=1
	@$(GO) build -o .local/bin/conformance ./cmd/conformance
	@exec .local/bin/conformance $(if $(RUN),-run '$(RUN)') $(if $(V),-v) $(if $(DIFF),-diff) $(CONFORMANCEFLAGS)

# What is in the program, as CycloneDX: its Go modules by their own tool, and the npm packages.
CYCLONEDX := github.com/CycloneDX/cyclonedx-gomod/cmd/cyclonedx-gomod@v1.10.0
sbom: build ## bin/workflow-worker.cdx.json: what the program consists of
	@mkdir -p .local
	$(GO) run $(CYCLONEDX) bin -json -std -noserial -notimestamp -version '$(VERSION)' -output .local/modules.cdx.json bin/workflow-worker
	$(GO) run ./docker/notices -sbom .local/modules.cdx.json -o bin/workflow-worker.cdx.json

digests: go ## write the digests of the image's base images into docker/Dockerfile, as the registry has them now
	$(GO) run ./docker/pin docker/Dockerfile

schema: go ## what is in the rows, as JSON Schema and TypeScript's types: reconcile/schema
	@$(SOON) $(GO) build -o .local/bin/withstack ./cmd/withstack
	.local/bin/withstack -- $(GO) test -pgo=off ./reconcile/schema -count=1 -update

chart: go ## render the Helm chart and read it as Kubernetes' own types
	cd docker/chart/check && $(GO) test ./...

bench: build ## the figures that we quote, beside the same workflows in native Go
	@$(GO) run ./cmd/bench

# By the benchmarks of what a running service spends its time on. Go builds by default.pgo beside a
# program of itself. To be made again when these benchmarks, goja or the interpreter's additions change.
profile: bundle ## cmd/workflow-worker/default.pgo, by which Go optimises the service
	@rm -rf .local/profile && mkdir -p .local/profile
	$(call profiled,workflow,StartRun|RunWithActivity|Activation|Replay1000)
	$(call profiled,activity,Plain|WithSDK|WithPlatform|Reshaping)
	$(call profiled,sandbox,Gathering|JSONParse|RegExp|Glue)
	$(call profiled,compile,Compile)
	$(GO) tool pprof -proto .local/profile/*.prof >cmd/workflow-worker/default.pgo
profiled = $(GO) test -pgo=off -run '^$$' -bench '$(2)' -benchtime 2s -cpuprofile .local/profile/$(1).prof -o .local/profile/$(1).test ./runtime/$(1)

clean: go ## remove everything that make made, the data of `make dev` too
	@$(GO) run ./cmd/dev -clean
	rm -rf bin .local runtime/bundle/node_modules runtime/language/intl/cldr/node_modules
	find runtime/bundle/dist runtime/language/intl/cldr/dist -type f ! -name .gitignore -delete

# Prerequisites. `make dev`, `make test` and `make lint` set INSTALL and install Debian's
# packages where that needs nobody's help; the others name the command.

go:
	@command -v $(GO) >/dev/null || { echo "Go 1.26 or newer is missing: install it as https://go.dev/doc/install says, on Linux with" >&2; \
	echo "  curl -L https://go.dev/dl/go1.26.8.linux-amd64.tar.gz | sudo tar -C /usr/local -xz" >&2; exit 1; }

npm: go
	@command -v node >/dev/null && command -v npm >/dev/null || \
	if [ -n "$$INSTALL" ]; then $(GO) run ./docker/stack/ensure npm; else \
	echo "Node.js with npm is missing (it fetches Temporal's TypeScript SDK): install it with" >&2; \
	echo "  sudo apt-get install nodejs npm" >&2; exit 1; fi

gcc: go
	@command -v gcc >/dev/null || $(GO) run ./docker/stack/ensure gcc
