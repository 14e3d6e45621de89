package workflow

import (
	"fmt"

	commonpb "go.temporal.io/api/common/v1"
	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/converter"
)

// updateResponse accepts, rejects or completes an update. A rejection of an accepted one is its
// failure.
type updateResponse struct {
	id       string
	accepted bool
	rejected *failurepb.Failure
	result   *commonpb.Payload
}

func readUpdateResponse(v *vm, f fields, _ metadata) (command, error) {
	c := updateResponse{id: f.text("protocolInstanceId"), accepted: f.has("accepted")}
	var err error
	switch {
	case f.has("rejected"):
		c.rejected, err = v.readFailure(f.value("rejected"))
	case f.has("completed"):
		c.result, err = v.readPayload(f.value("completed"))
	}
	return c, err
}

func (c updateResponse) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c updateResponse) send(d *definition) error {
	u := d.updates[c.id]
	if u == nil {
		return fmt.Errorf("update %q is not known", c.id)
	}
	if c.accepted {
		u.accepted = true
		u.callbacks.Accept()
		return nil
	}
	delete(d.updates, c.id)
	switch {
	case c.rejected != nil && u.accepted:
		u.callbacks.Complete(nil, toError(d.env.GetFailureConverter(), c.rejected))
	case c.rejected != nil:
		u.callbacks.Reject(toError(d.env.GetFailureConverter(), c.rejected))
	default:
		// Raw, or the SDK would encode the payload once more.
		u.callbacks.Complete(converter.NewRawValue(c.result), nil)
	}
	return nil
}
