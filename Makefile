# Everything starts here. `make demo` and `make test` do their own set-up and say what they do.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:

# The linters see the program as it is shipped, and share its compiled packages. The race detector needs its own.
SHIPPED := CGO_ENABLED=0 GOFLAGS='$(GOFLAGS) -trimpath'
# SQLite (C translated to Go) is left out of the race detector: it would take most of the time, and one connection is never
# used by two goroutines at once. What vet has to say is said by `make check`.
NO_RACE := -gcflags='modernc.org/...=-race=false'
RACE := CGO_ENABLED=1 go test -race -vet=off $(NO_RACE)
# The compiler spends a fifth of its time on its own garbage; memory for less of that is there.
COMPILER_GC := 400
SHOP := internal/demo/members/dist/index.html
TOOL := go tool -modfile=tools/go.mod
GO_FILES = $$(find . -name '*.go' -not -path '*/node_modules/*')
# Properties are tried on the same cases each time by `make test`, and on new ones by `make soak`.
# Without a git that answers here (a copy of the files, somebody else's checkout) the binary bears no version.
STAMP := $(shell git rev-parse HEAD >/dev/null 2>&1 || echo -buildvcs=false)
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome)
say = @printf '==> %s\n'

.PHONY: help demo test check bench soak fmt clean need need-all check-console check-go compile-libraries compile-tests test-go test-browser

help:
	@echo 'make demo    build everything and run it on this machine, with a company, people and services made up'
	@echo 'make test    everything that has to pass: linters, Go and console tests, real Chromium, the binary'
	@echo 'make check   only the linters'
	@echo 'make bench   speed, each figure beside its yardstick'
	@echo 'make soak    the long tests: many more rounds of crashes, races and outages'
	@echo 'make fmt     format Go and console sources'
	@echo 'make clean   remove what was built, and the demo'\''s data'

demo: need bin/munjigi
	$(say) 'starting the demo (Ctrl-C ends it); it keeps its data in munjigi-demo/'
	@exec bin/munjigi demo $(DEMO)

# On a new machine compiling takes longest, and each test waits more than it works: so two things go on at once. First
# what others wrote is compiled while the pages are built, for nothing may read console/dist while it is written; then the
# rest is compiled beside the browser. Tests that race on purpose have the machine for themselves.
test: need-all
	@$(MAKE) -j2 --no-print-directory check-console compile-libraries
	@$(MAKE) -j2 --no-print-directory test-browser compile-tests
	@$(MAKE) --no-print-directory test-go
	$(say) 'binary: size, static'
	@scripts/binary bin/munjigi

check: check-console check-go

check-console: console/dist/index.html $(SHOP) | need
	$(say) 'console: formatting, lint, types, unit tests'
	@npm run check --silent
	@npm test --silent

check-go: | need
	$(say) 'go: gofumpt, vet, staticcheck'
	@unformatted=$$($(TOOL) gofumpt -l $(GO_FILES)); \
		if [ -n "$$unformatted" ]; then echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; fi
	@$(SHIPPED) go vet ./...
	@$(SHIPPED) $(TOOL) staticcheck ./...
	@cd bench && $(SHIPPED) go vet ./...

LIBRARIES = $$(go list -deps -test -f '{{if and .Module (not .Module.Main) (not .ForTest)}}{{.ImportPath}}{{end}}' ./... | sort -u)
compile-libraries: | need
	$(say) 'go: compiling what others wrote, as it is shipped and with the race detector'
	@GOGC=$(COMPILER_GC) $(SHIPPED) go build $(LIBRARIES)
	@GOGC=$(COMPILER_GC) CGO_ENABLED=1 go build -race $(NO_RACE) $(LIBRARIES)
	@GOGC=$(COMPILER_GC) $(SHIPPED) go build -modfile=tools/go.mod -o /dev/null honnef.co/go/tools/cmd/staticcheck

compile-tests: check-go
	$(say) 'go: compiling the tests with the race detector'
	@GOGC=$(COMPILER_GC) $(RACE) -run '^$$' ./... >/dev/null

test-go: | need
	$(say) 'go: tests with the race detector'
	@RAPID_SEED=1 $(RACE) -parallel 4 -skip 'TestMillionOfMutations' ./...
	@$(SHIPPED) go test ./verify -run 'TestMillionOfMutations'
	$(say) 'bench: its tests'
	@cd bench && $(SHIPPED) go test ./...

test-browser: bin/munjigi
	$(say) 'browser: the whole way in real Chromium, and against a provider that is not ours'
	@CHROMIUM=$(CHROMIUM) npm run e2e --silent

bench: need bin/munjigi
	$(say) 'bench: each row beside its yardstick, a minute or two; make bench BENCH=-strict fails when a goal is missed'
	@cd bench && $(SHIPPED) go run . $(BENCH)
	$(say) 'bench: the browser client beside others, and the console, in real Chromium, about three minutes'
	@CHROMIUM=$(CHROMIUM) npm run bench -w bench/client --silent

soak: need-all bin/munjigi
	$(say) 'soak: about half an hour'
	@cd e2e && CHROMIUM=$(CHROMIUM) MUNJIGI_SOAK=1 node --test --test-concurrency=2 --test-reporter=spec client-*.test.mjs browser-*.test.mjs backoffice-looks.test.mjs
	@MUNJIGI_SOAK=1 RAPID_CHECKS=20000 $(RACE) -count=1 -timeout 2h ./...

fmt: need node_modules/.package-lock.json
	$(say) 'formatting'
	@$(TOOL) gofumpt -w $(GO_FILES)
	@npm run fmt --silent

# What is missing on this machine is named before anything is built.
need:
	@scripts/need build

need-all:
	@scripts/need test

clean:
	rm -rf bin node_modules */node_modules packages/*/node_modules examples/*/node_modules munjigi-demo test-results e2e/test-results
	rm -rf packages/client/dist
	find console/dist internal/demo/members/dist -mindepth 1 ! -name .gitkeep -delete

node_modules/.package-lock.json: package-lock.json package.json $(wildcard */package.json packages/*/package.json examples/*/package.json)
	$(say) 'npm: installing packages'
	@npm ci --loglevel=error
	@touch $@

# What npm builds is embedded in the binary. A build that goes well says nothing.
sources = $(shell find $(1) -type f -not -path '*/dist/*' -not -path '*/node_modules/*')
build = @out=$$(npm run build -w $(1) --silent 2>&1) || { echo "$$out"; exit 1; }

packages/client/dist/index.js: node_modules/.package-lock.json $(call sources,packages/client)
	$(say) 'client: building'
	$(call build,packages/client)
	@touch $@

console/dist/index.html: packages/client/dist/index.js $(call sources,console)
	$(say) 'console: building'
	$(call build,console)
	@touch $@

$(SHOP): packages/client/dist/index.js $(call sources,examples/vue-shop)
	$(say) 'the demo'\''s shop: building'
	$(call build,examples/vue-shop)
	@touch $@

# Go itself knows what has changed.
bin/munjigi: console/dist/index.html $(SHOP) FORCE
	$(say) 'go: building bin/munjigi'
	@$(SHIPPED) go build $(STAMP) -ldflags '-s -w' -o $@ ./cmd/munjigi

.PHONY: FORCE
FORCE:
