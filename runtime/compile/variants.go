package compile

import (
	"encoding/json"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/evanw/esbuild/pkg/api"
)

// maxVariants is how often a bundle is made until each package has a variant that works.
const maxVariants = 8

// build bundles. Workflows take the variants that are made for browsers, as webpack does it for
// Temporal's own worker. Activities run in Node there, and so take Node's variant of each package,
// but of those that require a module of Node's that isn't here: they take the one for browsers. A
// package that has no other leaves it to those that import it. Which these are is seen when they
// have been read, and others may be read in their places: so it is tried until nothing more is
// lacking.
func (b *bundler) build() api.BuildResult {
	if b.Kind == Workflow {
		return api.Build(b.options())
	}
	o := b.options()
	o.Platform, o.MainFields = api.PlatformNode, []string{"main", "module"}
	lookup := startLookup(o)
	defer lookup.close()
	b.node = &variants{lookup: lookup, web: map[string]bool{}, http: map[string]bool{}, described: map[string]description{}}
	o = b.options()
	o.Metafile = true
	// One that keeps what it has read: most of it is the same the next time.
	c, err := api.Context(o)
	if err != nil {
		return api.BuildResult{Errors: err.Errors}
	}
	defer c.Dispose()
	for range maxVariants {
		r := c.Rebuild()
		if len(r.Errors) > 0 {
			break // as for browsers, if that is better
		}
		if !b.improve(b.graphOf(r.Metafile)) {
			return r
		}
	}
	b.node = nil
	return api.Build(b.options())
}

// variants are those of packages for activities. But for described, nothing changes while esbuild
// builds.
type variants struct {
	lookup *lookup
	web    map[string]bool // packages that are taken in the variant for browsers
	http   map[string]bool // packages that make requests by Node's http or lead to one, and all that those import

	mu        sync.Mutex             // guards what follows
	described map[string]description // by the package's folder
}

// besideHTTP are modules that packages hold which reach a service by Node's http, for what they can
// do without: connections of their own making.
var besideHTTP = []string{"child_process", "dns", "dns/promises", "http2", "net", "tls"}

// ofMachine are modules of which all packages get something: a machine without files and keyboard, of
// which nothing is told.
var ofMachine = []string{"fs", "fs/promises", "os", "readline"}

// idles tells whether a package may have a module that isn't here, to hold it.
func (v *variants) idles(module, by string) bool {
	return slices.Contains(ofMachine, module) || v.http[by] && slices.Contains(besideHTTP, module)
}

// improve decides on the variants by what a bundle has become; false if they stay. A package that
// was given up once isn't tried again.
func (b *bundler) improve(g graph) (changed bool) {
	for p := range g.around(func(p string) bool { return slices.ContainsFunc(g.node[p], isHTTP) }) {
		if !b.node.http[p] {
			b.node.http[p] = true
			changed = changed || slices.ContainsFunc(g.node[p], func(m string) bool { return b.node.idles(m, p) })
		}
	}
	seen := map[string]bool{}
	var blame func(p string)
	blame = func(p string) {
		if seen[p] || p == "" {
			return
		}
		seen[p] = true
		if g.varies[p] && !b.node.web[p] {
			b.node.web[p], changed = true, true
			return
		}
		for _, q := range g.importers[p] {
			blame(q)
		}
	}
	for p, modules := range g.node {
		if slices.ContainsFunc(modules, func(m string) bool { return b.lacks(m, p) }) {
			blame(p)
		}
	}
	return changed
}

// lacks tells whether a package can't have a module of Node's.
func (b *bundler) lacks(module, by string) bool {
	return b.Kind.meaningOf("node:"+module) != provided && !isHTTP(module) && !b.node.idles(module, by)
}

// description is what a package.json says of variants.
type description struct {
	entry bool     // what the package is for who imports it depends on the platform
	other []string // what has something else in its place in browsers: files and packages
}

// nodes finds a file by Node's rules, if they may lead elsewhere than those for browsers, which
// esbuild goes by.
func (b *bundler) nodes(p api.PluginBuild, name string, o api.ResolveOptions) (file string, ok bool) {
	if b.node == nil || b.node.lookup == nil {
		return "", false
	}
	// It is seldom that something else is meant, and a lookup reads folders anew.
	if strings.HasPrefix(name, ".") && (b.node.web[b.owner(o.Importer)] || !b.describe(o.Importer).mentions(name)) {
		return "", false
	}
	r := b.node.lookup.build.Resolve(name, o)
	if len(r.Errors) > 0 || r.External || !b.holds(r.Path) || b.node.web[b.owner(r.Path)] {
		return "", false
	}
	// package.json of who asks may put something in the place of the name, too, which is for
	// browsers alone.
	if o.Importer != "" && b.node.web[b.owner(o.Importer)] {
		if web := p.Resolve(name, o); b.owner(web.Path) != b.owner(r.Path) {
			return "", false
		}
	}
	if !strings.HasPrefix(name, ".") && !b.describe(r.Path).entry && !b.describe(o.Importer).mentions(name) {
		return "", false
	}
	return r.Path, true
}

// mentions tells whether there may be something else in the place of a name.
func (d description) mentions(name string) bool {
	base := strings.TrimSuffix(path.Base(name), path.Ext(name))
	return slices.ContainsFunc(d.other, func(key string) bool { return base == "" || base == "." || base == ".." || strings.Contains(key, base) })
}

// describe reads the package.json of a file's package.
func (b *bundler) describe(file string) description {
	if !filepath.IsAbs(file) || !b.holds(file) {
		return description{}
	}
	dir := filepath.Join(b.root, packageOf(b.within(file)))
	if i := strings.LastIndex(file, "node_modules/"); i >= 0 {
		dir = filepath.Join(file[:i+len("node_modules/")], packageOf(file))
	}
	b.node.mu.Lock()
	defer b.node.mu.Unlock()
	d, known := b.node.described[dir]
	if !known {
		d = describe(filepath.Join(dir, "package.json"))
		b.node.described[dir] = d
	}
	return d
}

func describe(file string) (d description) {
	text, err := os.ReadFile(file) //nolint:gosec // in the folder of packages
	var p struct{ Browser, Exports any }
	if err != nil || json.Unmarshal(text, &p) != nil {
		return d // esbuild says it better
	}
	switch browser := p.Browser.(type) {
	case string:
		d.entry = true
	case map[string]any:
		// A file of it may be what the package is for who imports it.
		d.entry, d.other = true, slices.Collect(maps.Keys(browser))
	}
	d.entry = d.entry || hasConditions(p.Exports)
	return d
}

// hasConditions tells whether exports depend on the platform.
func hasConditions(exports any) bool {
	switch e := exports.(type) {
	case map[string]any:
		for key, value := range e {
			if key == "browser" || key == "node" || hasConditions(value) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(e, hasConditions)
	}
	return false
}

// owner is the package of a file.
func (b *bundler) owner(path string) string {
	if !filepath.IsAbs(path) || !b.holds(path) {
		return ""
	}
	return packageOf(b.within(path))
}

func optionsOf(a api.OnResolveArgs) api.ResolveOptions {
	return api.ResolveOptions{Kind: a.Kind, Importer: a.Importer, ResolveDir: a.ResolveDir, Namespace: a.Namespace, With: a.With, PluginData: native{}}
}

// lookup finds files by the rules of another platform than a build's: of a build of its own, which
// waits meanwhile.
type lookup struct {
	done, ended chan struct{}
	build       api.PluginBuild
}

func startLookup(o api.BuildOptions) *lookup {
	ready := make(chan api.PluginBuild, 1)
	l := &lookup{done: make(chan struct{}), ended: make(chan struct{})}
	o.Plugins = []api.Plugin{{Name: "lookup", Setup: func(p api.PluginBuild) {
		p.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
			if a.Kind == api.ResolveEntryPoint {
				return api.OnResolveResult{Path: entryName, Namespace: entryNamespace}, nil
			}
			return api.OnResolveResult{}, nil
		})
		p.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: entryNamespace}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
			ready <- p
			<-l.done
			nothing := ""
			return api.OnLoadResult{Contents: &nothing, Loader: api.LoaderJS}, nil
		})
	}}}
	go func() {
		defer close(l.ended)
		api.Build(o)
	}()
	select {
	case l.build = <-ready:
		return l
	case <-l.ended: // it couldn't begin: the build for browsers says why
		return nil
	}
}

// close ends the build and waits for it.
func (l *lookup) close() {
	if l != nil {
		close(l.done)
		<-l.ended
	}
}
