package protocol

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/sandbox"
)

// The metadata by which the default converter says what a payload is.
const (
	EncodingKey  = "encoding"
	EncodingJSON = "json/plain"
	EncodingNull = "binary/null"
)

// Values makes the bundle's values of Temporal's messages in one VM, and messages of its values.
// All of it is called while the VM is entered.
//
// JavaScript sees JSON payloads as their text and everything else as Temporal's own payload
// objects; see payloads.ts.
type Values struct {
	// Runtime is the VM's.
	Runtime *goja.Runtime

	vm          *sandbox.VM
	jsonPayload *goja.Object // its prototype
	long        *goja.Object // its prototype
	nullPayload goja.Value
	// proto hides the failure that a JavaScript one was made of.
	proto *goja.Symbol
}

// NewValues takes the bundle's exports; called inside Enter.
func NewValues(vm *sandbox.VM, bundle *goja.Object) *Values {
	r := vm.Runtime
	prototype := func(class string) *goja.Object { return bundle.Get(class).ToObject(r).Get("prototype").ToObject(r) }
	return &Values{
		Runtime: r, vm: vm, proto: goja.NewSymbol("proto"),
		jsonPayload: prototype("JsonPayload"), long: prototype("Long"), nullPayload: bundle.Get("nullPayload"),
	}
}

// Payload makes what the bundle takes for a payload.
func (v *Values) Payload(p *commonpb.Payload) (goja.Value, error) {
	r := v.Runtime
	if len(p.GetMetadata()) == 1 {
		switch string(p.GetMetadata()[EncodingKey]) {
		case EncodingJSON:
			o := r.CreateObject(v.jsonPayload)
			return o, o.Set("text", string(p.GetData()))
		case EncodingNull:
			return v.nullPayload, nil
		}
	}
	return v.PlainPayload(p)
}

// PlainPayload makes the object that the default converter would make.
func (v *Values) PlainPayload(p *commonpb.Payload) (goja.Value, error) {
	r := v.Runtime
	metadata := r.NewObject()
	for _, k := range slices.Sorted(maps.Keys(p.GetMetadata())) {
		u, err := v.vm.Uint8Array(p.GetMetadata()[k])
		if err != nil {
			return nil, err
		}
		if err := setOwn(metadata, k, u); err != nil {
			return nil, err
		}
	}
	data, err := v.vm.Uint8Array(p.GetData())
	if err != nil {
		return nil, err
	}
	o := r.NewObject()
	if err := o.Set("metadata", metadata); err != nil {
		return nil, err
	}
	return o, o.Set("data", data)
}

// Payloads makes an array, of nothing too.
func (v *Values) Payloads(ps *commonpb.Payloads) (goja.Value, error) {
	list := make([]any, len(ps.GetPayloads()))
	for i, p := range ps.GetPayloads() {
		o, err := v.Payload(p)
		if err != nil {
			return nil, err
		}
		list[i] = o
	}
	return v.Runtime.NewArray(list...), nil
}

// PayloadMap makes an object; of search attributes with plain set, because their converter reads
// the bytes.
func (v *Values) PayloadMap(m map[string]*commonpb.Payload, plain bool) (goja.Value, error) {
	o := v.Runtime.NewObject()
	for _, k := range slices.Sorted(maps.Keys(m)) { // code sees the order
		convert := v.Payload
		if plain {
			convert = v.PlainPayload
		}
		value, err := convert(m[k])
		if err != nil {
			return nil, err
		}
		if err := setOwn(o, k, value); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// setOwn sets a property whose name somebody else chose: __proto__ is one like any other.
func setOwn(o *goja.Object, name string, value goja.Value) error {
	return o.DefineDataProperty(name, value, goja.FLAG_TRUE, goja.FLAG_TRUE, goja.FLAG_TRUE)
}

// ReadPayload is the way back. Undefined and null give nil.
func (v *Values) ReadPayload(value goja.Value) (*commonpb.Payload, error) {
	o := Object(value)
	if o == nil {
		return nil, nil
	}
	if o.Prototype() == v.jsonPayload {
		return JSONPayload([]byte(o.Get("text").String())), nil
	}
	p := &commonpb.Payload{Metadata: map[string][]byte{}}
	if metadata := Object(o.Get("metadata")); metadata != nil {
		for _, k := range metadata.Keys() {
			b, ok := bytesOf(metadata.Get(k))
			if !ok {
				return nil, fmt.Errorf("payload metadata %q is not a Uint8Array", k)
			}
			p.Metadata[k] = b
		}
	}
	if data := o.Get("data"); data != nil && !goja.IsUndefined(data) && !goja.IsNull(data) {
		b, ok := bytesOf(data)
		if !ok {
			return nil, fmt.Errorf("payload data is not a Uint8Array but %s", data.ExportType())
		}
		p.Data = b
	}
	return p, nil
}

// ReadPayloads reads an array; undefined gives nil, which is no arguments.
func (v *Values) ReadPayloads(value goja.Value) (*commonpb.Payloads, error) {
	list := Items(v.Runtime, value)
	if len(list) == 0 {
		return nil, nil
	}
	out := &commonpb.Payloads{Payloads: make([]*commonpb.Payload, len(list))}
	for i, x := range list {
		p, err := v.ReadPayload(x)
		if err != nil {
			return nil, err
		}
		out.Payloads[i] = p
	}
	return out, nil
}

// ReadPayloadMap reads an object of payloads by name; nil if there is none.
func (v *Values) ReadPayloadMap(value goja.Value) (map[string]*commonpb.Payload, error) {
	o := Object(value)
	if o == nil {
		return nil, nil
	}
	out := make(map[string]*commonpb.Payload)
	for _, k := range o.Keys() {
		p, err := v.ReadPayload(o.Get(k))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[k] = p
	}
	return out, nil
}

// JSONPayload is what the default converter makes of this JSON.
func JSONPayload(data []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{EncodingKey: []byte(EncodingJSON)}, Data: data}
}

// bytesOf copies a Uint8Array's bytes: JavaScript may go on writing to them.
func bytesOf(value goja.Value) ([]byte, bool) {
	if b, ok := sandbox.Exported[goja.ArrayBuffer](value); ok {
		return append([]byte(nil), b.Bytes()...), true
	}
	b, ok := sandbox.Exported[[]byte](value)
	return append([]byte(nil), b...), ok
}

// Object gives nil for anything that isn't one.
func Object(value goja.Value) *goja.Object {
	o, _ := value.(*goja.Object)
	return o
}

// Items gives an array's elements; none of undefined and null.
func Items(r *goja.Runtime, value goja.Value) []goja.Value {
	if value == nil || goja.IsUndefined(value) || goja.IsNull(value) {
		return nil
	}
	o := value.ToObject(r)
	n := int(o.Get("length").ToInteger())
	out := make([]goja.Value, 0, n)
	for i := range n {
		out = append(out, o.Get(strconv.Itoa(i)))
	}
	return out
}

// Long makes the number that the package expects to convert itself.
func (v *Values) Long(n int64) goja.Value {
	o := v.Runtime.CreateObject(v.long)
	_ = o.Set("value", n) // a plain property of an ordinary object
	return o
}

// readString reads a payload that holds a JSON string; anything else is "".
func (v *Values) readString(value goja.Value) (string, error) {
	p, err := v.ReadPayload(value)
	if err != nil || p == nil {
		return "", err
	}
	var s string
	_ = json.Unmarshal(p.GetData(), &s) // anything else is left empty
	return s, nil
}
