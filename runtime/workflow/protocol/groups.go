package protocol

import (
	"github.com/dop251/goja"
	sdkpb "go.temporal.io/api/sdk/v1"
)

// Groups are those that a command's event is shown in: event groups, which code makes by
// createEventGroup, and that of the update whose handler gave the command. They aren't compared at a
// replay. A server that doesn't know them keeps none.
type Groups = []*sdkpb.EventGroupMarker

func (v *Values) readGroups(list goja.Value) (out Groups, err error) {
	for _, item := range Items(v.Runtime, list) {
		m := &sdkpb.EventGroupMarker{}
		f := FieldsOf(item)
		if label := f.Object("label"); !label.None() {
			text, err := v.ReadPayload(label.Value("label"))
			if err != nil {
				return nil, err
			}
			m.Variant = &sdkpb.EventGroupMarker_Label_{Label: &sdkpb.EventGroupMarker_Label{Id: label.Text("id"), Label: text}}
		} else if update := f.Object("inboundUpdate"); !update.None() {
			m.Variant = &sdkpb.EventGroupMarker_InboundUpdate_{InboundUpdate: &sdkpb.EventGroupMarker_InboundUpdate{InboundUpdateId: update.Text("inboundUpdateId")}}
		} else {
			continue // of a signal's event, which the SDK for Go doesn't name
		}
		out = append(out, m)
	}
	return out, nil
}
