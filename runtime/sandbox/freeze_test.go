package sandbox

import (
	"context"
	"testing"
	"time"

	"github.com/dop251/goja"
)

// frozen is a runtime whose arrays, plain objects and Math are frozen, as those are that executions
// share.
func frozen(t *testing.T) *VM {
	t.Helper()
	v, err := New(Options{Shared: true})
	if err != nil {
		t.Fatal(err)
	}
	err = v.Enter(context.Background(), 10*time.Second, func() error {
		for _, text := range []string{`Array.prototype`, `String.prototype`, `Math`} {
			value, err := v.Runtime.RunString(text)
			if err == nil {
				err = v.Freeze(value)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWhatIsFrozenStaysAndWhatInheritsIsFree(t *testing.T) {
	t.Parallel()
	v := frozen(t)
	for text, want := range map[string]string{
		`var a = []; a.join = () => 'own'; a.join() + Object.keys(a)`:                                       "ownjoin",
		`'use strict'; var a = []; a.join = () => 'own'; a.join() + [1, 2].join()`:                          "own1,2",
		`var a = []; a[Symbol.iterator] = function* () { yield 3 }; [...a].join() + [...[4]].join()`:        "34",
		`Array.prototype.map = 1; typeof Array.prototype.map`:                                               "function",
		`Array.prototype.more = 1; typeof Array.prototype.more`:                                             "undefined",
		`'use strict'; try { Array.prototype.map = 1 } catch (e) { e.message }`:                             "Cannot assign to read only property 'map' of object '[object Array]'",
		`'use strict'; try { Array.prototype[Symbol.iterator] = 1 } catch (e) { e.name }`:                   "TypeError",
		`'use strict'; var o = Object.freeze([]); try { o.map = 1 } catch (e) { e.message }`:                "Cannot add property map, object is not extensible",
		`var o = Object.freeze([]); o.map = 1; typeof o.map`:                                                "function",
		`'use strict'; try { 'abc'.trim = 1 } catch (e) { e.message }`:                                      "Cannot create property 'trim' on string 'abc'",
		`'abc'.trim = 1; typeof 'abc'.trim`:                                                                 "function",
		`'use strict'; try { Math.PI = 3 } catch (e) { e.name }`:                                            "TypeError",
		`'use strict'; var m = Object.create(Math); try { m.PI = 3 } catch (e) { e.name }`:                  "TypeError",
		`var m = Object.create(Math); m.max = 4; m.max + typeof Math.max`:                                   "4function",
		`Object.isFrozen(Array.prototype) + ',' + Object.isFrozen(Math) + Object.isFrozen([].map)`:          "true,truetrue",
		`JSON.stringify(Object.getOwnPropertyDescriptor(Array.prototype, 'length'))`:                        `{"value":0,"writable":false,"enumerable":false,"configurable":false}`,
		`typeof Object.getOwnPropertyDescriptor(Array.prototype, 'map').value`:                              "function",
		`var k = ''; for (var x in []) k += x; for (var x in {}) k += x; k`:                                 "",
		`Array.prototype.hasOwnProperty('map') + ',' + Object.keys(Array.prototype) + [].hasOwnProperty(0)`: "true,false",
		`var o = {}; Reflect.set([], 'map', 1, o) + ',' + o.map`:                                            "true,1",
		`Object.assign([], { map: 5 }).map`:                                                                 "5",
	} {
		var got goja.Value
		err := v.Enter(context.Background(), 10*time.Second, func() (err error) {
			got, err = v.Runtime.RunString(text)
			return err
		})
		if err != nil || got.String() != want {
			t.Errorf("%s: %v, %v; want %s", text, got, err, want)
		}
	}
}
