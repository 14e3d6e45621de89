package builtins

import (
	"slices"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language"
	"workflow-worker/runtime/language/linear"
)

// sorted is sort and toSorted of plain arrays: goja's takes three times as many comparisons as V8's,
// each a call, and without a function to compare makes two texts for each. False for what is goja's
// to do. A sort by a function is goja's, too, for executions that began with that: how often, and of
// what, the function is asked may show.
func sorted(h Host, name string, call goja.FunctionCall) (goja.Value, bool) {
	inOrder, ok := byTexts(h, call)
	if !goja.IsUndefined(call.Argument(0)) {
		if h.Former().Builtins {
			return nil, false
		}
		inOrder, ok = byFunction(h, call.Argument(0))
	}
	if !ok {
		return nil, false
	}
	if name == "sort" {
		return call.This, linear.Sort(h.Runtime(), call.This, inOrder)
	}
	out := linear.Sorted(h.Runtime(), call.This, inOrder)
	return out, out != nil
}

// byFunction sorts as a function compares.
func byFunction(h Host, by goja.Value) (func([]goja.Value), bool) {
	f, ok := by.(*goja.Object)
	if !ok {
		return nil, false
	}
	compare := linear.Caller(f)
	if compare == nil {
		return nil, false
	}
	return func(items []goja.Value) {
		pair := make([]goja.Value, 2)
		args := goja.FunctionCall{This: goja.Undefined(), Arguments: pair}
		pure := linear.PureOf(h.Runtime(), by)
		if pure != nil && pure.Arrange(items) {
			return
		}
		compared := 0
		sortItems(items, func(x, y goja.Value) float64 {
			if pure != nil {
				if compared++; compared%language.Looked == 0 {
					h.Stop()
				}
				if n, ok := pure.Order(x, y); ok {
					return n
				}
			}
			pair[0], pair[1] = x, y
			v := compare(args)
			if n, ok := linear.Whole(v); ok {
				return float64(n)
			}
			return v.ToNumber().ToFloat()
		})
	}, true
}

// keyed is an item and the text that it is sorted by.
type keyed struct{ item, key goja.Value }

// byTexts sorts texts, numbers and the like as texts; false where there is anything else.
func byTexts(h Host, call goja.FunctionCall) (func([]goja.Value), bool) {
	data, ok := linear.DataOf(h.Runtime())
	if !ok || !goja.IsUndefined(call.Argument(0)) {
		return nil, false
	}
	all, ok := data.Items(call.This, "")
	if !ok {
		return nil, false
	}
	for _, item := range all {
		switch item.(type) {
		case *goja.Object, *goja.Symbol:
			return nil, false
		}
		if language.IsBigInt(item) {
			return nil, false
		}
	}
	return func(items []goja.Value) {
		list := make([]keyed, len(items))
		for i, item := range items {
			list[i] = keyed{item, language.Text(h, item)}
		}
		compared := 0
		slices.SortStableFunc(list, func(x, y keyed) int {
			if compared++; compared%language.Looked == 0 {
				h.Stop()
			}
			return linear.CompareTexts(x.key, y.key)
		})
		for i := range list {
			items[i] = list[i].item
		}
	}, true
}
