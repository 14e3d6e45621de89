package compile

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/dop251/goja"
)

const (
	// maxProbed bounds a text that code makes a program of while it runs. A validator that ajv
	// generates for a large schema has some 100 KB.
	maxProbed = 1 << 20
	// probeTimeout is how long such a text may take; an honest one takes milliseconds.
	probeTimeout = 2 * time.Second
	// maxRememberedProbes is for how many texts it is remembered that they did no harm.
	maxRememberedProbes = 1024
)

// probed are the texts that did no harm, by their hash.
type probed struct {
	mu    sync.Mutex // guards the rest
	known map[[sha256.Size]byte]struct{}
}

// Probe reports whether goja can parse and compile a script without harm to the calling process:
// without overflowing its stack, taking all its memory, or computing for minutes. Whether the
// script is valid is another matter. It is tried out in a child process, if there are any.
func (c *Compiler) Probe(text string) error {
	if len(text) > maxProbed {
		return fmt.Errorf("the limit is %d", maxProbed)
	}
	key := sha256.Sum256([]byte(text))
	c.probed.mu.Lock()
	_, known := c.probed.known[key]
	c.probed.mu.Unlock()
	if known {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), probeTimeout)
	defer cancel()
	if err := c.tr.probe(ctx, text); err != nil {
		return err
	}
	c.probed.mu.Lock()
	defer c.probed.mu.Unlock()
	if c.probed.known == nil || len(c.probed.known) >= maxRememberedProbes {
		c.probed.known = make(map[[sha256.Size]byte]struct{})
	}
	c.probed.known[key] = struct{}{}
	return nil
}

// parseScript does what the caller will do with the text.
func parseScript(text string) {
	defer func() { _ = recover() }() // goja's compiler panics on what it doesn't support; the caller will see it
	_, _ = goja.Compile("", text, false)
}

func (p *pool) probe(ctx context.Context, text string) error {
	_, err := p.ask(ctx, subject{name: "a text given to eval or new Function", slow: true}, request{Probe: true, Text: text})
	switch {
	case errors.Is(err, errDied), errors.Is(err, errTooMuch):
		return errors.New("it nests too deep, or is too large")
	case errors.Is(err, errBusy):
		return unprobed{fmt.Errorf("parsing a text given to eval or new Function took longer than %v", probeTimeout)}
	case err != nil:
		return unprobed{err}
	}
	return nil
}

// unprobed is a text of which nothing is known: how long a child takes, and whether there is one,
// is the machine's matter.
type unprobed struct{ error }

func (e unprobed) Unwrap() error { return e.error }

// Temporary tells that another try may end otherwise; see sandbox.Options.Probe.
func (e unprobed) Temporary() bool { return true }
