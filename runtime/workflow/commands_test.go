package workflow

import (
	"errors"
	"testing"

	"workflow-worker/runtime/workflow/protocol"
	"workflow-worker/runtime/workflow/wire"
)

// What protocol reads, this room carries out; a query's response alone isn't for it.
func TestEveryCommandThatIsReadIsCarriedOut(t *testing.T) {
	d := answering(t)
	for _, name := range protocol.CommandNames() {
		err := d.in.enter(t.Context(), d.o.TaskTimeout, d, func() error {
			r := d.in.machine.vm.Runtime
			o := r.NewObject()
			if err := o.Set(name, r.NewObject()); err != nil {
				return err
			}
			commands, err := d.in.machine.readCommands(r.NewArray(o))
			if err != nil || len(commands) != 1 {
				return errors.Join(err, errors.New("not one command"))
			}
			if _, left := commands[0].(notCarriedOut); left {
				t.Errorf("nothing is done about %s", name)
			}
			return nil
		})
		var refused *wire.TaskFailure
		if name == "respondToQuery" && (!errors.As(err, &refused) || refused.Reason != wire.ReasonUnsupported) || name != "respondToQuery" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
