package sandbox

import (
	"errors"
	"fmt"

	"github.com/dop251/goja"
	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/runtime/language"
)

// Encodings of Temporal's default payload converter.
const (
	encodingKey    = "encoding"
	encodingNull   = "binary/null"
	encodingBinary = "binary/plain"
	encodingJSON   = "json/plain"
	encodingProto  = "json/protobuf"
)

// ErrNotConvertible is a value that has no payload: a BigInt, a function, a symbol, a cycle.
var ErrNotConvertible = language.ErrNotConvertible

// FromPayload gives the JavaScript value of a payload as Temporal's default converter for
// TypeScript does. It must be called inside Enter.
func (v *VM) FromPayload(p *commonpb.Payload) (goja.Value, error) {
	switch e := string(p.GetMetadata()[encodingKey]); e {
	case encodingNull:
		return goja.Undefined(), nil
	case encodingBinary:
		return v.Uint8Array(p.GetData())
	case encodingJSON, encodingProto:
		return v.ParseJSON(p.GetData())
	default:
		return nil, fmt.Errorf("unknown encoding: %s", e)
	}
}

// ToPayload converts a value as Temporal's default converter for TypeScript does, except that a
// function or a symbol is an error rather than an empty payload. It must be called inside Enter.
// The error wraps ErrNotConvertible.
func (v *VM) ToPayload(value goja.Value) (*commonpb.Payload, error) {
	if value == nil || goja.IsUndefined(value) {
		return payload(encodingNull, nil), nil
	}
	if o, ok := value.(*goja.Object); ok {
		if b, ok := language.Exported[[]byte](o); ok && o.ClassName() != "ArrayBuffer" {
			return payload(encodingBinary, append([]byte(nil), b...)), nil
		}
	}
	text, err := v.JSON(value)
	if err != nil {
		return nil, err
	}
	return payload(encodingJSON, []byte(text)), nil
}

func payload(encoding string, data []byte) *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{encodingKey: []byte(encoding)}, Data: data}
}

// JSON is JSON.stringify; a value without JSON is an error that wraps ErrNotConvertible.
func (v *VM) JSON(value goja.Value) (string, error) {
	class, err := v.globals.Builtin("JSON")
	if err != nil {
		return "", err
	}
	stringify, ok := goja.AssertFunction(class.Get("stringify"))
	if !ok {
		return "", errors.New("JSON.stringify was replaced")
	}
	s, err := stringify(goja.Undefined(), value)
	if err != nil {
		var ex *goja.Exception
		if errors.As(err, &ex) {
			return "", fmt.Errorf("%w: %s", ErrNotConvertible, ex.Value().String())
		}
		return "", err
	}
	if goja.IsUndefined(s) {
		return "", fmt.Errorf("%w: %s has no JSON", ErrNotConvertible, value.String())
	}
	return s.String(), nil
}

// ParseJSON is JSON.parse.
func (v *VM) ParseJSON(data []byte) (goja.Value, error) {
	var value goja.Value
	if ex := v.Runtime.Try(func() { value = v.globals.JSON.Parse(v.Runtime.ToValue(string(data)), goja.Undefined()) }); ex != nil {
		return nil, ex
	}
	return value, nil
}

// Uint8Array makes one that owns a copy of the bytes.
func (v *VM) Uint8Array(b []byte) (goja.Value, error) {
	class, err := v.globals.Builtin("Uint8Array")
	if err != nil {
		return nil, err
	}
	return v.Runtime.New(class, v.Runtime.ToValue(v.Runtime.NewArrayBuffer(append([]byte(nil), b...))))
}
