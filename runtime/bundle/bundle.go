package bundle

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/dop251/goja"

	"workflow-worker/runtime/language/linear"
)

//go:embed all:dist
var dist embed.FS

//go:embed package.json
var packageJSON []byte

// ErrNotBuilt is what everything here returns when the program was built without its bundles.
var ErrNotBuilt = errors.New("the TypeScript SDK was not bundled into this program: run `make bundle` and build again")

// ModuleFrames is how the file names of bundles' frames begin in stacks.
const ModuleFrames = "<@temporalio/"

// Workflow gives the bundle of @temporalio/workflow. The program evaluates to a function (host,
// module, exports) that fills module.exports with what runtime/workflow calls. It is compiled once
// per process and may run in any number of runtimes.
func Workflow() (*goja.Program, error) { return workflow() }

var workflow = sync.OnceValues(func() (*goja.Program, error) { return load("workflow") })

func load(name string) (*goja.Program, error) {
	text, err := read(name)
	if err != nil {
		return nil, err
	}
	p, err := goja.Compile(ModuleFrames+name+">", string(text), false)
	if err != nil {
		return nil, fmt.Errorf("compile the bundle of @temporalio/%s: %w", name, err)
	}
	return linear.Tune(p), nil
}

// Built says whether the program has its bundles, and parses none: that is up to whoever runs them.
func Built() error {
	_, err := read("workflow")
	return err
}

func read(name string) ([]byte, error) {
	text, err := dist.ReadFile("dist/" + name + ".js")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	return text, err
}

// Version names the workflow bundle: "@temporalio/workflow 1.24.0 3f9a1c07", the package's version
// and the first digits of the bundle's hash. Without the bundle the hash is "not-built".
func Version() string { return version() }

var version = sync.OnceValue(func() string {
	var pkg struct {
		Dependencies map[string]string `json:"dependencies"`
	}
	_ = json.Unmarshal(packageJSON, &pkg) // embedded, and read by the tests
	hash := "not-built"
	if text, err := read("workflow"); err == nil {
		sum := sha256.Sum256(text)
		hash = hex.EncodeToString(sum[:4])
	}
	return "@temporalio/workflow " + pkg.Dependencies["@temporalio/workflow"] + " " + hash
})
