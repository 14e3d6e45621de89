// Package webcrypto is crypto, for activities: random numbers, and subtle on Go's standard library.
package webcrypto

import (
	"crypto/rand"
	_ "embed"

	"github.com/dop251/goja"
	"github.com/google/uuid"

	"workflow-worker/runtime/platform"
)

//go:embed crypto.js
var script string

var program = platform.Script("crypto", script)

// Module gives crypto.
func Module() platform.Module {
	return platform.Module{
		Name:    "crypto",
		Globals: []string{"crypto", "CryptoKey"},
		Program: program,
		Host: func(h platform.Host) map[string]any {
			w := webCrypto{h}
			return map[string]any{"subtle": w.subtle, "random": w.random, "randomUUID": w.randomUUID}
		},
	}
}

type webCrypto struct{ platform.Host }

func (w webCrypto) random(call goja.FunctionCall) goja.Value {
	b := make([]byte, min(max(call.Argument(0).ToInteger(), 0), 65536))
	_, _ = rand.Read(b) // never fails
	return platform.Buffer(w, b)
}

func (w webCrypto) randomUUID(goja.FunctionCall) goja.Value {
	return w.VM().Runtime.ToValue(uuid.NewString())
}
