package workflow

import (
	"fmt"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"
)

// patch records that a patch is in the code.
type patch protocol.Patch

func (c patch) accept(d *definition) error {
	d.put(c)
	return nil
}

// send has the SDK record the patch. It writes the list of all anew for each, and goes on doing so,
// for nothing, when the server has no room for it any more: time that grows with the square of
// their number. From there on a patch is a marker alone.
func (c patch) send(d *definition) error {
	if d.patchBytes >= wire.MaxChangeVersions && !d.env.IsReplaying() {
		marker, err := wire.VersionMarker(d.env.GetDataConverter(), c.ID)
		if err != nil {
			return err
		}
		if d.o.Tasks.Record(d.x.RunID, marker) {
			return nil
		}
	}
	d.patchBytes += len(c.ID) + len(wire.VersionSuffix) + len(`"",`)
	// Without groups: the SDK's marker and its search attribute would share them, and two goroutines of
	// its own would write to one.
	if d.env.GetVersion(c.ID, wire.PatchVersion, wire.PatchVersion, nil) != wire.PatchVersion {
		return fmt.Errorf("patch %q was not recorded", c.ID)
	}
	return nil
}

type upsertSearchAttributes protocol.UpsertSearchAttributes

func (c upsertSearchAttributes) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c upsertSearchAttributes) send(d *definition) error {
	if len(c.Fields) == 0 {
		return nil
	}
	return d.env.UpsertSearchAttributes(protocol.AsAny(c.Fields), c.Groups)
}

type upsertMemo protocol.UpsertMemo

func (c upsertMemo) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c upsertMemo) send(d *definition) error {
	if len(c.Fields) == 0 {
		return nil
	}
	return d.env.UpsertMemo(protocol.RawValues(c.Fields), c.Groups)
}
