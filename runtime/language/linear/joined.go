package linear

import (
	"strconv"

	"github.com/dop251/goja"
)

// Joined are values as one text, with a gap between: numbers, texts, truth, null and undefined,
// which are empty. False if there is anything else among them. afford is asked again and again about the length
// so far.
func Joined(items []goja.Value, gap goja.Value, afford func(i, units int)) (goja.Value, bool) {
	between, ok := textOf(&gap)
	if !ok {
		return nil, false
	}
	var room [128]byte
	out := room[:0]
	var units []uint16
	add := func(t text) {
		switch {
		case units != nil:
			units = appendText(units, t)
		case t.units == nil:
			out = append(out, t.bytes...)
		default:
			units = append(make([]uint16, 0, 2*len(out)+len(t.units)), mark)
			units = appendText(appendBytes(units, string(out)), t)
		}
	}
	for i := range items {
		if i > 0 {
			add(between)
		}
		switch kindOf(&items[i]) {
		case kinds.ascii, kinds.unicode, kinds.imported:
			t, _ := textOf(&items[i])
			add(t)
		case kinds.integer:
			n, _ := Whole(items[i])
			if units == nil {
				out = strconv.AppendInt(out, n, 10)
			} else {
				units = appendBytes(units, strconv.FormatInt(n, 10))
			}
		case kinds.fraction:
			add(text{bytes: items[i].String()})
		default:
			switch items[i] {
			case yes:
				add(text{bytes: "true"})
				continue
			case no:
				add(text{bytes: "false"})
				continue
			}
			if items[i] != goja.Undefined() && items[i] != goja.Null() {
				return nil, false
			}
		}
		afford(i, len(out)+len(units))
	}
	if units != nil {
		units = append(make([]uint16, 0, len(units)), units...)
		return text{units: units}.value(), true
	}
	return text{bytes: string(out)}.value(), true
}
