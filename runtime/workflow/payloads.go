package workflow

import (
	"fmt"
	"maps"
	"slices"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/sandbox"
)

const (
	encodingKey  = "encoding"
	encodingJSON = "json/plain"
	encodingNull = "binary/null"
)

// JavaScript sees JSON payloads as their text and everything else as Temporal's own payload
// objects; see payloads.ts.

func (v *vm) payload(p *commonpb.Payload) (goja.Value, error) {
	r := v.box.Runtime
	if len(p.GetMetadata()) == 1 {
		switch string(p.GetMetadata()[encodingKey]) {
		case encodingJSON:
			o := r.CreateObject(v.sdk.jsonPayload)
			return o, o.Set("text", string(p.GetData()))
		case encodingNull:
			return v.sdk.nullPayload, nil
		}
	}
	return v.plainPayload(p)
}

// plainPayload makes the object that the default converter would make.
func (v *vm) plainPayload(p *commonpb.Payload) (goja.Value, error) {
	r := v.box.Runtime
	metadata := r.NewObject()
	for _, k := range slices.Sorted(maps.Keys(p.GetMetadata())) {
		u, err := v.box.Uint8Array(p.GetMetadata()[k])
		if err != nil {
			return nil, err
		}
		if err := setOwn(metadata, k, u); err != nil {
			return nil, err
		}
	}
	data, err := v.box.Uint8Array(p.GetData())
	if err != nil {
		return nil, err
	}
	o := r.NewObject()
	if err := o.Set("metadata", metadata); err != nil {
		return nil, err
	}
	return o, o.Set("data", data)
}

// payloads makes an array, of nothing too.
func (v *vm) payloads(ps *commonpb.Payloads) (goja.Value, error) {
	list := make([]any, len(ps.GetPayloads()))
	for i, p := range ps.GetPayloads() {
		o, err := v.payload(p)
		if err != nil {
			return nil, err
		}
		list[i] = o
	}
	return v.box.Runtime.NewArray(list...), nil
}

// payloadMap makes an object; of search attributes with plain set, because their converter reads
// the bytes.
func (v *vm) payloadMap(m map[string]*commonpb.Payload, plain bool) (goja.Value, error) {
	o := v.box.Runtime.NewObject()
	for _, k := range slices.Sorted(maps.Keys(m)) { // code sees the order
		convert := v.payload
		if plain {
			convert = v.plainPayload
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

// readPayload is the way back. Undefined and null give nil.
func (v *vm) readPayload(value goja.Value) (*commonpb.Payload, error) {
	o := object(value)
	if o == nil {
		return nil, nil
	}
	if o.Prototype() == v.sdk.jsonPayload {
		return jsonPayload([]byte(o.Get("text").String())), nil
	}
	p := &commonpb.Payload{Metadata: map[string][]byte{}}
	if metadata := object(o.Get("metadata")); metadata != nil {
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

// readPayloads reads an array; undefined gives nil, which is no arguments.
func (v *vm) readPayloads(value goja.Value) (*commonpb.Payloads, error) {
	list := items(v.box.Runtime, value)
	if len(list) == 0 {
		return nil, nil
	}
	out := &commonpb.Payloads{Payloads: make([]*commonpb.Payload, len(list))}
	for i, x := range list {
		p, err := v.readPayload(x)
		if err != nil {
			return nil, err
		}
		out.Payloads[i] = p
	}
	return out, nil
}

func (v *vm) readPayloadMap(value goja.Value) (map[string]*commonpb.Payload, error) {
	o := object(value)
	if o == nil {
		return nil, nil
	}
	out := make(map[string]*commonpb.Payload)
	for _, k := range o.Keys() {
		p, err := v.readPayload(o.Get(k))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", k, err)
		}
		out[k] = p
	}
	return out, nil
}

func jsonPayload(data []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{encodingKey: []byte(encodingJSON)}, Data: data}
}

// bytesOf copies a Uint8Array's bytes: JavaScript may go on writing to them.
func bytesOf(value goja.Value) ([]byte, bool) {
	if b, ok := sandbox.Exported[goja.ArrayBuffer](value); ok {
		return append([]byte(nil), b.Bytes()...), true
	}
	b, ok := sandbox.Exported[[]byte](value)
	return append([]byte(nil), b...), ok
}

// object gives nil for anything that isn't one.
func object(value goja.Value) *goja.Object {
	o, _ := value.(*goja.Object)
	return o
}

// fields reads a plain object's properties; a missing one is a zero value.
type fields struct{ o *goja.Object }

func (f fields) value(name string) goja.Value {
	if f.o == nil {
		return nil
	}
	if v := f.o.Get(name); v != nil && !goja.IsUndefined(v) && !goja.IsNull(v) {
		return v
	}
	return nil
}

func (f fields) has(name string) bool { return f.value(name) != nil }

func (f fields) object(name string) fields { return fields{object(f.value(name))} }

func (f fields) text(name string) string {
	if v := f.value(name); v != nil {
		return v.String()
	}
	return ""
}

func (f fields) integer(name string) int64 {
	if v := f.value(name); v != nil {
		return v.ToInteger()
	}
	return 0
}

func (f fields) number(name string) float64 {
	if v := f.value(name); v != nil {
		return v.ToFloat()
	}
	return 0
}

func (f fields) truth(name string) bool {
	v := f.value(name)
	return v != nil && v.ToBoolean()
}
