package compile

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// bundleRequest asks for npm packages as one text.
type bundleRequest struct {
	// Dir is Config.Modules.
	Dir  string
	Kind Kind
	// Names are what a text imports, sorted, each a package's or a file's in a package.
	Names []string
	// MaxBytes bounds the bundle.
	MaxBytes int
}

// bundled is what esbuild makes of packages: CommonJS, whose exports are a function per name that
// evaluates to the module.
type bundled struct {
	Code string
	// Map leads a line to the file of a package and its line there.
	Map []byte
}

// bundleError is what is wrong with packages.
type bundleError struct {
	// Name is what was imported, or "" if that can't be told.
	Name    string
	Message string
	// More are the other errors.
	More []bundleError
}

func (e *bundleError) Error() string { return e.Message }

// bundle reads packages and makes one text of them. It reads files in the folder and nowhere else.
func bundle(q bundleRequest) (bundled, error) {
	// The real path, for esbuild names files by it; and what is in the bundle must not tell where
	// the folder was.
	root, err := filepath.EvalSymlinks(q.Dir)
	if err != nil {
		return bundled{}, &bundleError{Message: "the folder of npm packages (MODULES_DIR) can't be read"}
	}
	from := root
	if filepath.Base(root) == "node_modules" {
		from = filepath.Dir(root)
	}
	b := &bundler{bundleRequest: q, root: root, from: from}
	r := b.build()
	if len(r.Errors) > 0 {
		e := b.explain(r.Errors[0])
		for _, m := range r.Errors[1:min(len(r.Errors), maxErrors)] {
			e.More = append(e.More, *b.explain(m))
		}
		return bundled{}, e
	}
	var out bundled
	var esbuildMap []byte
	for _, f := range r.OutputFiles {
		if strings.HasSuffix(f.Path, ".map") {
			esbuildMap = f.Contents
		} else {
			out.Code = string(f.Contents)
		}
	}
	if len(out.Code) > q.MaxBytes {
		return bundled{}, &bundleError{Message: fmt.Sprintf("the npm packages %s are %d bytes long together; the limit is %d",
			strings.Join(q.Names, ", "), len(out.Code), q.MaxBytes)}
	}
	if out.Map, err = lineMap(out.Code, esbuildMap); err != nil {
		return bundled{}, fmt.Errorf("read the source map of npm packages: %w", err)
	}
	return out, nil
}

// maxErrors bounds what is told of packages that can't be bundled.
const maxErrors = 20

// options are esbuild's for all packages.
func (b *bundler) options() api.BuildOptions {
	root := b.root
	return api.BuildOptions{
		AbsWorkingDir:  root,
		EntryPoints:    []string{entryName},
		Outfile:        filepath.Join(root, entryName),
		Bundle:         true,
		Write:          false,
		NodePaths:      []string{root},
		Format:         api.FormatCommonJS,
		Sourcemap:      api.SourceMapExternal,
		SourcesContent: api.SourcesContentExclude,
		// Of a package's variants those made for browsers rely on the web's API alone; which file
		// is meant by package.json is then decided as webpack does it for Temporal's own worker. Of
		// activities see build.
		Platform: api.PlatformBrowser,
		// Names stay, also where two packages have the same: failures take their type from a
		// constructor's name. Lines stay, for stacks.
		MinifySyntax:  true,
		KeepNames:     true,
		LegalComments: api.LegalCommentsNone,
		Charset:       api.CharsetUTF8,
		Target:        api.ESNext,
		Supported:     supported(),
		Define:        map[string]string{"global": "globalThis", "process.env.NODE_ENV": `"production"`},
		// And with it no tsconfig.json is looked for.
		TsconfigRaw: tsconfig,
		LogLevel:    api.LogLevelSilent,
		Plugins:     []api.Plugin{{Name: "packages", Setup: b.setup}},
	}
}

const (
	entryName      = "packages"
	entryNamespace = "row"
	// Of modules that stand for what a text imports. They require the file by its path: of one that
	// a plugin resolves, esbuild doesn't know whether its package.json says that it is an ES
	// module, of which depends what its imports of CommonJS are.
	importedNamespace = "imported"
)

// bundler decides what esbuild may resolve and load.
type bundler struct {
	bundleRequest
	root string // of what may be read
	from string // where a name is looked up

	node *variants // nil: all are those for browsers
}

// native marks lookups of our own, which esbuild answers itself.
type native struct{}

func (b *bundler) setup(p api.PluginBuild) {
	p.OnResolve(api.OnResolveOptions{Filter: ".*"}, func(a api.OnResolveArgs) (api.OnResolveResult, error) {
		switch {
		case a.PluginData == native{}:
			return api.OnResolveResult{}, nil
		case a.Kind == api.ResolveEntryPoint:
			return api.OnResolveResult{Path: entryName, Namespace: entryNamespace}, nil
		case a.Namespace == entryNamespace:
			return b.imported(p, a.Path)
		case a.Namespace == importedNamespace:
			return api.OnResolveResult{}, nil
		}
		return b.required(p, a)
	})
	p.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: entryNamespace}, func(api.OnLoadArgs) (api.OnLoadResult, error) {
		text := b.entry()
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS, ResolveDir: b.root}, nil
	})
	p.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: importedNamespace}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		path, _ := a.PluginData.(string)
		text := "module.exports=require(" + strconv.Quote(path) + ")"
		return api.OnLoadResult{Contents: &text, Loader: api.LoaderJS, ResolveDir: b.root}, nil
	})
	p.OnLoad(api.OnLoadOptions{Filter: ".*", Namespace: "file"}, func(a api.OnLoadArgs) (api.OnLoadResult, error) {
		if err := b.mayLoad(a.Path); err != nil {
			return api.OnLoadResult{}, err
		}
		return lowered(a.Path)
	})
}

// entry makes each module when it is first asked for.
func (b *bundler) entry() string {
	var t strings.Builder
	for _, n := range b.Names {
		fmt.Fprintf(&t, "exports[%s]=()=>require(%[1]s);\n", strconv.Quote(n)) // the names are ASCII
	}
	return t.String()
}

// imported leads what a text imports to a file.
func (b *bundler) imported(p api.PluginBuild, name string) (api.OnResolveResult, error) {
	// As an import, though the entry requires: packages that have both forms keep the better one
	// for it.
	o := api.ResolveOptions{Kind: api.ResolveJSImportStatement, ResolveDir: b.from, Namespace: "file", PluginData: native{}}
	if path, ok := b.nodes(p, name, o); ok {
		return api.OnResolveResult{Path: path, Namespace: "file"}, nil
	}
	r := p.Resolve(name, o)
	if len(r.Errors) > 0 || r.External || !b.holds(r.Path) {
		return api.OnResolveResult{}, fmt.Errorf("%s%s", missing, name)
	}
	// The sign keeps esbuild from taking this for a module of the kind that the name's ending says.
	return api.OnResolveResult{Path: name + "#", Namespace: importedNamespace, PluginData: r.Path}, nil
}

// missing begins the error for a name that isn't there.
const missing = "missing: "

// required decides what a file of a package imports.
func (b *bundler) required(p api.PluginBuild, a api.OnResolveArgs) (api.OnResolveResult, error) {
	if b.Kind.isTemporal(a.Path) {
		return api.OnResolveResult{Path: a.Path, External: true}, nil
	}
	if strings.HasPrefix(a.Path, "http:") || strings.HasPrefix(a.Path, "https:") || strings.HasPrefix(a.Path, "//") {
		return api.OnResolveResult{}, fmt.Errorf("it imports the address %q", a.Path)
	}
	module, ok := nodeModule(a.Path)
	if !ok {
		if path, ok := b.nodes(p, a.Path, optionsOf(a)); ok {
			return api.OnResolveResult{Path: path, Namespace: "file"}, nil
		}
		return api.OnResolveResult{}, nil
	}
	by := packageOf(a.Importer)
	if !strings.HasPrefix(a.Path, "node:") {
		// A package of that name, or what package.json puts in its place for browsers. Where the
		// package is Node's, only a package may be in the place of the module.
		r := p.Resolve(a.Path, optionsOf(a))
		if _, ok := b.nodes(p, a.Path, optionsOf(a)); len(r.Errors) == 0 && !r.External && (ok || b.node == nil || b.node.web[by]) {
			return api.OnResolveResult{}, nil
		}
	}
	if b.node != nil && b.node.idles(module, by) {
		module += Idle
	}
	// What isn't here fails when it is required: many packages try, or ask only in functions that
	// nobody calls.
	return api.OnResolveResult{Path: "node:" + module + requiredBy + by, External: true}, nil
}

// requiredBy stands between the name of Node's module and the package that requires it.
const requiredBy = "#"

// Idle ends the name of a module of Node's that isn't here and that a package may hold all the
// same, as long as it doesn't use it: "node:net:idle#https-proxy-agent".
const Idle = ":idle"

// RequiredBy takes apart what a package's code requires of Node: "node:fs#axios" is fs, required by
// axios.
func RequiredBy(name string) (module, by string) {
	module, by, _ = strings.Cut(name, requiredBy)
	return module, by
}

// holds tells whether a path is in the folder.
func (b *bundler) holds(path string) bool {
	within, err := filepath.Rel(b.root, path)
	return err == nil && filepath.IsLocal(within)
}

// mayLoad is asked for each file before it is read, whatever led there.
func (b *bundler) mayLoad(path string) error {
	file, err := filepath.EvalSymlinks(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // esbuild says so, or means a file that package.json replaces by nothing
	}
	if err != nil || !b.holds(file) {
		return fmt.Errorf("%s leads out of the folder of npm packages (MODULES_DIR)", b.within(path))
	}
	switch ext := filepath.Ext(file); {
	case slices.Contains([]string{".js", ".mjs", ".cjs", ".json", ".ts", ".mts", ".cts", ".jsx", ".tsx"}, ext):
		return nil
	case ext == ".node" || ext == ".wasm":
		return fmt.Errorf("%s is machine code, which can't run here", b.within(path))
	}
	return fmt.Errorf("%s is not JavaScript", b.within(path))
}

// within names a file as its package's reader knows it.
func (b *bundler) within(path string) string {
	if i := strings.LastIndex(path, "node_modules/"); i >= 0 {
		return path[i+len("node_modules/"):]
	}
	return strings.TrimPrefix(strings.TrimPrefix(path, b.root), "/")
}

// explain turns esbuild's error into one for the author of the text.
func (b *bundler) explain(m api.Message) *bundleError {
	if name, ok := strings.CutPrefix(m.Text, missing); ok {
		return &bundleError{Name: name, Message: fmt.Sprintf(
			"can't import %q: there is no such npm package in the service's folder of packages; ask the operator to add it to MODULES_DIR (npm install %s)", name, packageOf(name))}
	}
	e := &bundleError{Message: "the npm packages can't be bundled: " + m.Text}
	if m.Location != nil && m.Location.Namespace != entryNamespace {
		where := packageOf(m.Location.File)
		e.Message = fmt.Sprintf("the npm package %s can't be used: %s (%s:%d)", where, m.Text, b.within(m.Location.File), m.Location.Line)
		if i := slices.IndexFunc(b.Names, func(n string) bool { return packageOf(n) == where }); i >= 0 {
			e.Name = b.Names[i]
		}
	}
	return e
}
