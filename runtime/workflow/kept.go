package workflow

import (
	"github.com/dop251/goja"

	"workflow-worker/runtime/workflow/wire"
)

// Code implements wire.Kept.
func (d *definition) Code() (title string, last wire.LastCode, ok bool) {
	on := d.on.Load()
	if on == nil || d.in == nil {
		return "", wire.LastCode{}, false
	}
	return d.in.code.title(), *on, true
}

// Moves implements wire.Kept.
func (d *definition) Moves() (hash string, moves bool) {
	on := d.on.Load()
	if on == nil || d.busy.Load() {
		return "", false
	}
	wanted := d.o.Resolver.Wanted(d.x, *on).Hash
	return wanted, wanted != on.Hash
}

// Failed implements wire.Kept.
func (d *definition) Failed() *wire.TaskFailure { return d.failed }

// noteUpgrades keeps whether the code wants its executions to take newer code; called inside enter,
// once the function has begun.
func (d *definition) noteUpgrades() error {
	wants, err := d.in.machine.sdk.autoUpgrades(goja.Undefined())
	if err != nil {
		return d.in.thrown(err)
	}
	on := *d.on.Load()
	on.AutoUpgrade = wants.ToBoolean()
	d.on.Store(&on)
	return nil
}
