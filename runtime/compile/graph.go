package compile

import (
	"encoding/json"
	"path/filepath"
	"strings"
)

// graph is what a bundle is made of, by packages.
type graph struct {
	importers map[string][]string // who imports a package
	imports   map[string][]string
	node      map[string][]string // the modules of Node that a package requires
	varies    map[string]bool     // packages of which there may be other variants
}

// graphOf reads what esbuild says of a bundle. It tells of what is in the bundle, without what
// nobody uses.
func (b *bundler) graphOf(metafile string) graph {
	type input struct {
		Imports []struct {
			Path     string
			External bool
		}
	}
	var meta struct {
		Inputs  map[string]input
		Outputs map[string]struct {
			Inputs map[string]struct{ BytesInOutput int }
		}
	}
	g := graph{importers: map[string][]string{}, imports: map[string][]string{}, node: map[string][]string{}, varies: map[string]bool{}}
	if json.Unmarshal([]byte(metafile), &meta) != nil {
		return g
	}
	known := map[[2]string]bool{}
	for _, out := range meta.Outputs {
		for file, in := range out.Inputs {
			if in.BytesInOutput == 0 || strings.HasPrefix(file, entryNamespace+":") {
				continue
			}
			path := filepath.Join(b.root, file)
			p := b.owner(path)
			if d := b.describe(path); d.entry {
				g.varies[p] = true
			}
			for _, im := range meta.Inputs[file].Imports {
				if module, ok := strings.CutPrefix(im.Path, "node:"); ok && im.External {
					module, _ = RequiredBy(module)
					g.node[p] = append(g.node[p], strings.TrimSuffix(module, Idle))
					continue
				}
				to := b.owner(filepath.Join(b.root, im.Path))
				if im.External || to == p || known[[2]string{p, to}] {
					continue
				}
				known[[2]string{p, to}] = true
				g.imports[p] = append(g.imports[p], to)
				g.importers[to] = append(g.importers[to], p)
			}
		}
	}
	return g
}

// around are packages of which something is true, those that lead to one, and all that these
// import.
func (g graph) around(is func(p string) bool) map[string]bool {
	above := map[string]bool{}
	for p := range g.node {
		if is(p) {
			reach(p, g.importers, above)
		}
	}
	all := map[string]bool{}
	for p := range above {
		if p != "" {
			reach(p, g.imports, all)
		}
	}
	return all
}

// reach adds a package and all that it leads to.
func reach(p string, to map[string][]string, found map[string]bool) {
	if found[p] {
		return
	}
	found[p] = true
	for _, q := range to[p] {
		reach(q, to, found)
	}
}
