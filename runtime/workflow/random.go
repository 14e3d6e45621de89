package workflow

import (
	"math/rand/v2"

	"workflow-worker/runtime/workflow/wire"
)

// streamPrefix keeps the package's named streams apart from other users of the SDK's.
const streamPrefix = "workflow-worker/"

// random draws from the run's streams. The SDK reseeds them where the history was reset, and
// nowhere else. A query must not draw from them: it isn't in the history.
func (d *definition) random(stream string) float64 {
	if d.inQuery {
		return rand.Float64()
	}
	return float64(d.env.GetRandomStream(streamPrefix+stream).Uint64()>>11) / (1 << 53)
}

// hasPatch tells whether the history has the marker of a patch. Asking the SDK for its version
// would make an absent marker final; with the absent version not allowed it refuses instead and
// remembers nothing, and code that later runs live may still record the patch, as Temporal's own
// worker lets it.
func (d *definition) hasPatch(id string) (known bool) {
	if !d.replaying {
		return false
	}
	defer func() {
		if recover() != nil {
			known = false
		}
	}()
	return d.env.GetVersion(id, wire.PatchVersion, wire.PatchVersion, nil) == wire.PatchVersion
}
