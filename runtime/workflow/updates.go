package workflow

import (
	"fmt"

	"go.temporal.io/sdk/converter"

	"workflow-worker/runtime/workflow/protocol"
)

type updateResponse protocol.UpdateResponse

func (c updateResponse) accept(d *definition) error {
	d.put(c)
	return nil
}

func (c updateResponse) send(d *definition) error {
	u := d.updates[c.ID]
	if u == nil {
		return fmt.Errorf("update %q is not known", c.ID)
	}
	if c.Accepted {
		u.accepted = true
		u.callbacks.Accept()
		return nil
	}
	delete(d.updates, c.ID)
	switch {
	case c.Rejected != nil && u.accepted:
		u.callbacks.Complete(nil, protocol.ToError(d.env.GetFailureConverter(), c.Rejected))
	case c.Rejected != nil:
		u.callbacks.Reject(protocol.ToError(d.env.GetFailureConverter(), c.Rejected))
	default:
		// Raw, or the SDK would encode the payload once more.
		u.callbacks.Complete(converter.NewRawValue(c.Result), nil)
	}
	return nil
}
