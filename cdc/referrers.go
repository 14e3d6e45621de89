package cdc

import (
	"context"
	"log/slog"
	"sync"
)

// referrers names the projects that use a shared component. That takes reading every
// definition (measured: 0.5 s for 3,000 of 33 KB), so it is done beside the gate,
// where nobody waits for it, on a connection that is there only meanwhile.
type referrers struct {
	reader reader
	hint   func(projects []string, c Commit)
	all    func(reason string)
	log    *slog.Logger

	mu         sync.Mutex // guards components
	components keys
	bell       chan struct{} // some were added
}

// find has the projects hinted that refer to one of the components. It never blocks.
func (f *referrers) find(components keys) {
	f.mu.Lock()
	for id := range components {
		f.components.add(id)
	}
	f.mu.Unlock()
	ring(f.bell)
}

// run finds until ctx ends.
func (f *referrers) run(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-f.bell:
		}
		f.mu.Lock()
		components := f.components.list()
		f.components = nil
		f.mu.Unlock()

		projects, err := f.reader.referrers(ctx, components)
		f.reader.close()
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			f.log.Warn("cannot read who refers to a shared component, looking at all", "error", err)
			f.all("referrers of a shared component unreadable")
		default:
			f.hint(projects, Commit{})
		}
	}
}
