package compile

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"
)

// providedJSON says what code of each kind finds: the globals, and the names that the modules of
// the runtime have. A test of package runtime makes it, and compares it with what there is.
//
//go:embed provided.json
var providedJSON []byte

// Provided is what code of one kind finds without any package.
type Provided struct {
	// Globals are the names of the global object.
	Globals []string `json:"globals"`
	// Modules are the names that each module has, "default" among them if there is such an export.
	Modules map[string][]string `json:"modules"`
}

// providedTable is the whole file. Types are the names of types that Temporal's packages export,
// without a value.
type providedTable struct {
	Workflow Provided `json:"workflow"`
	Activity Provided `json:"activity"`
	Types    []string `json:"types"`
}

var provides = sync.OnceValue(func() (t providedTable) {
	if err := json.Unmarshal(providedJSON, &t); err != nil {
		panic(err) // the tests read it
	}
	return t
})

func (k Kind) provides() Provided {
	if k == Activity {
		return provides().Activity
	}
	return provides().Workflow
}

// names gives the names that a module of the runtime has; ok is false if they aren't known.
func (k Kind) names(module string) (list []string, ok bool) {
	list, ok = k.provides().Modules[strings.TrimSuffix(strings.TrimPrefix(module, "node:"), ".js")]
	return list, ok
}

// isType tells whether a name is that of a type of Temporal's packages. @temporalio/client's types
// aren't known: any name may be one.
func isType(module, name string) bool {
	return strings.HasPrefix(module, "@temporalio/client") || slices.Contains(provides().Types, name)
}
