package sandbox

import (
	"context"
	"testing"
	"time"
	"unsafe"

	"github.com/dop251/goja"
)

// What `then` gives holds no names of functions that nobody sees; what code gets hold of is whole.
func TestPromisesThatWaitHoldLess(t *testing.T) {
	t.Parallel()
	v, err := New(Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	program, err := Compile("row.ts", `(() => {
		const seen = [];
		class Mine extends Promise { constructor(f) { super((...both) => { seen.push(...both); f(...both); }); } }
		const pending = new Promise(() => {});
		pending.then(() => {});
		const mine = Object.defineProperty(new Promise(() => {}), 'constructor', { value: Mine });
		mine.then(() => {});
		let order = [];
		const p = new Promise((resolve, reject) => { seen.push(resolve, reject); });
		p.then(() => order.push('one')).then(() => { throw 'two'; }).catch((e) => order.push(e)).finally(() => order.push('three'));
		seen.at(-2)();
		return { pending, order, whole: seen.map((f) => f.name === '' && f.length === 1 && Object.keys(Object.getOwnPropertyDescriptors(f)).join()) };
	})()`)
	if err != nil {
		t.Fatal(err)
	}
	var found *goja.Object
	if err := v.Enter(context.Background(), time.Minute, func() error {
		value, err := v.Runtime.RunProgram(program)
		if err == nil {
			found = value.ToObject(v.Runtime)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := found.Get("whole").String(); got != "length,name,length,name,length,name,length,name" && got != "length,name,length,name,length,name" {
		t.Errorf("code sees functions with %s", got)
	}
	if got := found.Get("order").String(); got != "one,two,three" {
		t.Errorf("the order is %s", got)
	}
	last := internals.lastReaction(found.Get("pending").ToObject(v.Runtime))
	if last == nil {
		t.Fatal("the promise has no reaction")
	}
	capability := *(*unsafe.Pointer)(unsafe.Add(last, internals.promises.capability))
	for _, at := range internals.promises.settling {
		if names := (*(**goja.Object)(unsafe.Add(capability, at))).GetOwnPropertyNames(); len(names) != 0 {
			t.Errorf("a function that nobody sees has %v", names)
		}
	}
}
