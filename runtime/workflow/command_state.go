package workflow

import (
	"fmt"

	"workflow-worker/runtime/workflow/wire"

	commonpb "go.temporal.io/api/common/v1"
)

// patch records that a patch is in the code.
type patch struct{ id string }

func readPatch(_ *vm, f fields, _ metadata) (command, error) { return patch{f.text("patchId")}, nil }

func (c patch) accept(d *definition) error {
	d.put(c)
	return nil
}

// send has the SDK record the patch. It writes the list of all anew for each, and goes on doing so,
// for nothing, when the server has no room for it any more: time that grows with the square of
// their number. From there on a patch is a marker alone.
func (c patch) send(d *definition) error {
	if d.patchBytes >= wire.MaxChangeVersions && !d.env.IsReplaying() {
		marker, err := wire.VersionMarker(d.env.GetDataConverter(), c.id)
		if err != nil {
			return err
		}
		if d.o.Tasks.Record(d.x.RunID, marker) {
			return nil
		}
	}
	d.patchBytes += len(c.id) + len(wire.VersionSuffix) + len(`"",`)
	if d.env.GetVersion(c.id, wire.PatchVersion, wire.PatchVersion) != wire.PatchVersion {
		return fmt.Errorf("patch %q was not recorded", c.id)
	}
	return nil
}

type upsertSearchAttributes struct{ fields map[string]*commonpb.Payload }

func readUpsertSearchAttributes(v *vm, f fields, _ metadata) (command, error) {
	m, err := v.readPayloadMap(f.object("searchAttributes").value("indexedFields"))
	return upsertSearchAttributes{m}, err
}

func (c upsertSearchAttributes) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c upsertSearchAttributes) send(d *definition) error {
	if len(c.fields) == 0 {
		return nil
	}
	return d.env.UpsertSearchAttributes(asAny(c.fields))
}

type upsertMemo struct{ fields map[string]*commonpb.Payload }

func readUpsertMemo(v *vm, f fields, _ metadata) (command, error) {
	m, err := v.readPayloadMap(f.object("upsertedMemo").value("fields"))
	return upsertMemo{m}, err
}

func (c upsertMemo) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c upsertMemo) send(d *definition) error {
	if len(c.fields) == 0 {
		return nil
	}
	return d.env.UpsertMemo(rawValues(c.fields))
}
