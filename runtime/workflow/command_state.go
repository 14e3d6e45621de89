package workflow

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
)

// patch records that a patch is in the code.
type patch struct{ id string }

func readPatch(_ *vm, f fields, _ metadata) (command, error) { return patch{f.text("patchId")}, nil }

func (c patch) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c patch) send(d *definition) error {
	if d.env.GetVersion(c.id, patchVersion, patchVersion) != patchVersion {
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
