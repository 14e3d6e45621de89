package compile

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dop251/goja"
	"github.com/dop251/goja/parser"

	"golang.org/x/sync/singleflight"
	"workflow-worker/runtime/language/linear"
	"workflow-worker/runtime/language/operators"
)

const (
	// packagesVersion is part of the hash of every bundle. Raise it when the same text must become
	// a different program.
	packagesVersion = "1"
	// maxPackagesBytes bounds a bundle. The largest of those that people use everywhere, an SDK of
	// a cloud, stay below 4 MB; goja takes some 20 times the text's size to hold a program.
	maxPackagesBytes = 8 << 20
	// packagesTimeout bounds the processor's time for a bundle, and packagesPatience the time on the
	// clock: it reads thousands of files from a disk that may be cold.
	packagesTimeout, packagesPatience = time.Minute, 3 * time.Minute
	// maxBundles is how many bundles are remembered beside those in use.
	maxBundles = 64
)

// StoredPackages is a bundle as it can be kept: what executions replay on when the packages have
// changed since.
type StoredPackages struct {
	// Hash identifies the bundle: 64 hexadecimal digits.
	Hash string
	// Kind is of the code that they are for.
	Kind Kind
	// Names are what texts import of it, sorted.
	Names []string
	// Code is CommonJS that exports a function per name.
	Code string
	// Map is Code's source map.
	Map string
}

// Packages are npm packages as one program, which is immutable and shared by all programs that
// import the same ones.
type Packages struct {
	StoredPackages
	// JS evaluates to a function (require, module, exports), after which exports has a function per
	// name that gives the module. For workflows it evaluates to a function (crypto) that gives that
	// function: packages make identifiers by it, see runtime/workflow.
	JS *goja.Program
}

// noWebSocket is there for packages that look for one when they load and open it, if ever, much
// later (@supabase/supabase-js).
const noWebSocket = `(function(){` +
	`function WebSocket(){throw new TypeError("activities have no WebSockets: they reach the network through fetch")}` +
	`return `

// bundles are the packages that were made or loaded.
type bundles struct {
	group  singleflight.Group
	making chan struct{} // a token while one is made

	mu     sync.Mutex           // guards the rest
	byName map[string]*Packages // by kind and names: what is in the folder, as it was first read
	byHash map[string]*Packages
	order  []*Packages // oldest first
}

// packages gives the bundle of some names out of the folder. It is made once in the life of the
// process: a package that is upgraded meanwhile is found after the next start, so that all rows run
// on the same.
func (c *Compiler) packages(ctx context.Context, kind Kind, names []string) (*Packages, error) {
	key := string(kind) + " " + strings.Join(names, " ")
	c.bundles.mu.Lock()
	known := c.bundles.byName[key]
	c.bundles.mu.Unlock()
	if known != nil {
		return known, nil
	}
	made := c.bundles.group.DoChan(key, func() (any, error) {
		// Not the caller's context: others wait for the same.
		ctx, cancel := context.WithTimeout(context.Background(), packagesPatience)
		defer cancel()
		// One at a time: a large one takes seconds, and edits of rows must find another child free
		// meanwhile.
		select {
		case c.bundles.making <- struct{}{}:
			defer func() { <-c.bundles.making }()
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		q := bundleRequest{Dir: c.cfg.Modules, Kind: kind, Names: names, MaxBytes: maxPackagesBytes}
		b, err := c.tr.bundle(ctx, q)
		if err != nil {
			return nil, err
		}
		p, err := load(StoredPackages{Hash: packagesHash(kind, b.Code), Kind: kind, Names: names, Code: b.Code, Map: string(b.Map)})
		if err != nil {
			return nil, err
		}
		return c.bundles.remember(key, p), nil
	})
	select {
	case r := <-made:
		p, _ := r.Val.(*Packages)
		return p, r.Err
	case <-ctx.Done():
		return nil, fmt.Errorf("bundle the npm packages %s: %w", strings.Join(names, ", "), context.Cause(ctx))
	}
}

// Packages gives the bundle of a hash if this compiler made or loaded it.
func (c *Compiler) Packages(hash string) *Packages {
	c.bundles.mu.Lock()
	defer c.bundles.mu.Unlock()
	return c.bundles.byHash[hash]
}

// LoadPackages makes a kept bundle usable again.
func (c *Compiler) LoadPackages(s StoredPackages) (*Packages, error) {
	if p := c.Packages(s.Hash); p != nil {
		return p, nil
	}
	if packagesHash(s.Kind, s.Code) != s.Hash {
		return nil, fmt.Errorf("the kept npm packages %s are not what their hash says", s.Hash)
	}
	p, err := load(s)
	if err != nil {
		return nil, err
	}
	return c.bundles.remember("", p), nil
}

// remember keeps a bundle by its hash and, if key isn't empty, as what the folder has. It gives the
// one that was there first.
func (b *bundles) remember(key string, p *Packages) *Packages {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.byHash == nil {
		b.byName, b.byHash = map[string]*Packages{}, map[string]*Packages{}
	}
	if known := b.byHash[p.Hash]; known != nil {
		p = known
	} else {
		b.byHash[p.Hash] = p
		b.order = append(b.order, p)
	}
	if key != "" {
		b.byName[key] = p
	}
	if len(b.order) > maxBundles {
		b.forget(b.order[0])
		b.order = b.order[1:]
	}
	return p
}

func (b *bundles) forget(p *Packages) {
	delete(b.byHash, p.Hash)
	for key, other := range b.byName {
		if other == p {
			delete(b.byName, key)
		}
	}
}

func packagesHash(kind Kind, code string) string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s", packagesVersion, kind, code)
	return hex.EncodeToString(h.Sum(nil))
}

// load makes the program of a bundle.
func load(s StoredPackages) (p *Packages, err error) {
	defer func() {
		// goja's compiler panics on what it doesn't support.
		if r := recover(); r != nil {
			p, err = nil, &bundleError{Message: fmt.Sprintf("the npm packages %s can't be used: %v", strings.Join(s.Names, ", "), r)}
		}
	}()
	before, after := "(function(require,module,exports){", "\n})"
	if s.Kind == Workflow {
		before, after = "(function(crypto){return "+before, after+"})"
	} else {
		before, after = noWebSocket+before, after+"})()"
	}
	text := before + s.Code + after + "\n//# sourceMappingURL=" + mapName
	tree, err := parseText(entryName, text, []byte(s.Map))
	if err != nil {
		return nil, unusable(s, err)
	}
	assignCaught(tree)
	if err := disguiseRegExps(entryName, tree); err != nil {
		return nil, unusable(s, err)
	}
	if _, err := operators.Rewrite(tree, s.Code); err != nil {
		return nil, unusable(s, err)
	}
	js, err := goja.CompileAST(tree, false)
	if err != nil {
		return nil, unusable(s, err)
	}
	if operators.Signed(s.Code) {
		return &Packages{StoredPackages: s, JS: linear.TuneSigned(js)}, nil
	}
	return &Packages{StoredPackages: s, JS: linear.Tune(js)}, nil
}

// unusable is for packages that esbuild takes and goja doesn't.
func unusable(s StoredPackages, err error) error {
	e := &bundleError{}
	what, file := err.Error(), ""
	var list parser.ErrorList
	var bad *Error
	switch {
	case errors.As(err, &list) && len(list) > 0:
		what = list[0].Message
		if m, mapErr := parseMap(s.Map); mapErr == nil {
			var line int
			if file, _, line, _, _ = m.Source(list[0].Position.Line, list[0].Position.Column-1); file != "" {
				what = fmt.Sprintf("%s (%s:%d)", what, file, line)
			}
		}
	case errors.As(err, &bad):
		file = bad.File
		what = fmt.Sprintf("%s (%s:%d)", bad.Message, bad.File, bad.Line)
	}
	e.Message = fmt.Sprintf("the npm packages %s can't be used: %s", strings.Join(s.Names, ", "), what)
	if i := slices.IndexFunc(s.Names, func(n string) bool { return file != "" && packageOf(n) == packageOf(file) }); i >= 0 {
		e.Name = s.Names[i]
		e.Message = fmt.Sprintf("the npm package %s can't be used: %s", packageOf(file), what)
	}
	return e
}
