package runtime

import (
	"context"
	"fmt"
)

// clashing says of each component whose name another component of the project has too, by its row's
// id, what is wrong: which of them an activity call means is nobody's guess. Shared ones count
// among them.
func clashing(components []Component) map[string]*SourceError {
	byName := map[string][]Component{}
	for _, c := range components {
		byName[c.Name] = append(byName[c.Name], c)
	}
	out := map[string]*SourceError{}
	for name, same := range byName {
		for i, c := range same {
			if len(same) == 1 {
				continue
			}
			other := same[(i+1)%len(same)]
			what := "another component"
			if other.Shared {
				what = "a shared component"
			}
			out[c.ID] = &SourceError{Message: fmt.Sprintf("%s is named %q too (id %s): rename or switch off one of them; until then what was live before goes on", what, name, other.ID)}
		}
	}
	return out
}

// clash keeps what is live of a row whose name another one has too. Nothing new goes live: what
// does, would depend on the order of the rows.
func (b *builder) clash(ctx context.Context, w row, e *SourceError) error {
	live := b.current.find(w.Kind, w.id)
	built := b.unchanged(w)
	if built == nil {
		var err error
		if built, err = w.build(ctx, w.StoredModule); err != nil {
			if !isTextsFault(ctx, err) {
				return err
			}
			also := Remark{Message: e.Message}
			e = sourceError(err, w.Version)
			e.More = append(e.More, also)
			b.addClashing(ctx, live, w, e, warningsOf(err))
			return nil
		}
	}
	if live == nil && w.liveHash != "" && built.stored.Hash == w.liveHash { // it was, before this process
		b.goLive(built)
		b.fresh = append(b.fresh, built)
		live = built
	}
	b.addClashing(ctx, live, w, e, built.warnings())
	return nil
}

func (b *builder) addClashing(ctx context.Context, live *module, w row, e *SourceError, warnings []Remark) {
	if live == nil && w.lastGood != nil {
		live = b.lastGood(ctx, w)
	}
	b.add(live, w, e, warnings)
}
