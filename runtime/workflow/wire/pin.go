package wire

import (
	"encoding/json"

	commonpb "go.temporal.io/api/common/v1"
	historypb "go.temporal.io/api/history/v1"
)

// Pin is what the first workflow task records in the execution's history, as the first side effect:
// on what code it began, and runs for good unless it is moved (see LastCode). A task that fails
// records nothing, so that an execution whose first task never completed takes the code that is
// current at the next attempt.
type Pin struct {
	// Hash is the module's content hash, Export the name of the function in it.
	Hash   string `json:"hash"`
	Export string `json:"export"`
	// SDK is the bundle that recorded it, for people to read; Flags are the TypeScript SDK's
	// internal flags that were in force, which replay must keep to.
	SDK   string `json:"sdk"`
	Flags []int  `json:"flags"`
	// Rules are our own, which replay must keep to as well.
	Rules []int `json:"rules,omitempty"`
	// Zones is the release of the time zones that the execution began with, for people to read.
	// Executions without it began when Intl knew English and UTC alone, and keep to that.
	Zones string `json:"zones,omitempty"`
}

// PinIn reads a side effect's result; the zero value if it is no pin.
func PinIn(recorded *commonpb.Payloads) (p Pin) {
	if list := recorded.GetPayloads(); len(list) != 1 || json.Unmarshal(list[0].GetData(), &p) != nil {
		return Pin{}
	}
	return p
}

// PinOf reads an event; the zero value if it records no pin.
func PinOf(e *historypb.HistoryEvent) Pin {
	return PinIn(e.GetMarkerRecordedEventAttributes().GetDetails()["data"])
}
