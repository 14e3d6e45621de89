package metrics

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Check asks a dependency whether it is there. It must honour its context.
type Check func(ctx context.Context) error

// The states of a dependency.
const (
	dependencyUnknown     = "unknown"     // not asked yet
	dependencyOK          = "ok"          // the last probe succeeded
	dependencyFailing     = "failing"     // probes fail, for less than the grace
	dependencyUnreachable = "unreachable" // probes fail for longer, or never succeeded
	dependencyUnusable    = "unusable"    // the same, of a dependency that answers
)

// dependencies are what the service cannot do its job without.
type dependencies struct {
	database, temporal dependency
}

// dependency is what the probes of one dependency saw.
type dependency struct {
	mu           sync.Mutex
	asked        bool
	reached      bool      // ever
	failingSince time.Time // zero = not failing
	err          error
	took         time.Duration
	at           time.Time
}

// record takes a probe's result and says whether it changed the outcome.
func (d *dependency) record(at time.Time, took time.Duration, err error) (changed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	changed = !d.asked || (d.err == nil) != (err == nil)
	d.asked, d.at, d.took, d.err = true, at, took, err
	if err == nil {
		d.reached, d.failingSince = true, time.Time{}
	} else if d.failingSince.IsZero() {
		d.failingSince = at
	}
	return changed
}

// dependencyView is a consistent copy.
type dependencyView struct {
	state   string
	reason  string        // of failing; free of credentials
	failing time.Duration // for how long
	took    time.Duration // the last probe
	age     time.Duration // of the last probe
}

// view judges at the time now. The grace is only for what was reached before: at
// the start there is nothing that a short outage would interrupt.
func (d *dependency) view(now time.Time, grace time.Duration) dependencyView {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.asked {
		return dependencyView{state: dependencyUnknown}
	}
	v := dependencyView{state: dependencyOK, took: d.took, age: max(0, now.Sub(d.at))}
	if d.err == nil {
		return v
	}
	v.state, v.reason = dependencyFailing, publicReason(d.err)
	v.failing = max(0, now.Sub(d.failingSince))
	if !d.reached || v.failing >= grace {
		v.state = dependencyUnreachable
		if isUnusable(d.err) {
			v.state = dependencyUnusable
		}
	}
	return v
}

// publicReason makes an error's text fit for /health, which anyone may read: one
// short line without user names and passwords. The log has all of it.
func publicReason(err error) string {
	return shorten(hideCredentials(err.Error()))
}

var (
	userInURL   = regexp.MustCompile(`://[^/\s@]*@`)
	credentials = regexp.MustCompile(`(?i)\b(user|password|passfile|sslpassword|api[-_]?key|authorization)\s*[=:]\s*('[^']*'|"[^"]*"|\S+)`)
)

func hideCredentials(text string) string {
	return credentials.ReplaceAllString(userInURL.ReplaceAllString(text, "://"), "$1=…")
}

func shorten(text string) string {
	const longest = 200
	runes := []rune(strings.ToValidUTF8(oneLine(text), "?"))
	if len(runes) > longest {
		return string(runes[:longest]) + "…"
	}
	return string(runes)
}

// oneLine is a text's first line. Where that ends in a colon, as pgx's that it didn't connect, the next ones
// say why, each once; else they are details, which may have what is nobody's business.
func oneLine(text string) string {
	line, rest, _ := strings.Cut(strings.TrimSpace(text), "\n")
	if line = strings.TrimSpace(line); !strings.HasSuffix(line, ":") {
		return line
	}
	for part := range strings.Lines(rest) {
		part = strings.TrimSpace(part)
		switch {
		case part == "" || strings.Contains(line, part):
		case strings.HasSuffix(line, ":"):
			line += " " + part
		default:
			line += "; " + part
		}
	}
	return line
}

// probe asks check once, within timeout. A check that ignores its context counts
// as failed at the timeout; the returned channel closes when it has returned.
func probe(ctx context.Context, check Check, timeout time.Duration) (returned <-chan struct{}, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, timeout, fmt.Errorf("no answer within %s", timeout))
	defer cancel()
	result := make(chan error, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		result <- check(ctx)
	}()
	select {
	case err := <-result:
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
		return done, err
	case <-ctx.Done():
		return done, context.Cause(ctx)
	}
}

// up says whether the last probe succeeded.
func (d *dependency) up() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked && d.err == nil
}
