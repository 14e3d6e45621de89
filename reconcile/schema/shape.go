package schema

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"time"
)

// shape is a type, as both languages have it.
type shape struct {
	// kind is string, number, integer, boolean, any, duration, array, map, object or ref.
	kind   string
	format string   // of a string
	values []string // that a string may have; nil = all
	of     *shape   // what an array or a map has
	ref    string   // the name of another
	fields []field
	null   bool // may be null
	closed bool // the service refuses what is not listed
	oneOf  []*shape
}

type field struct {
	name, doc string
	optional  bool
	shape     *shape
}

// named is a shape with a name that others refer to.
type named struct {
	name, doc string
	shape     *shape
}

// book collects the shapes of Go's types under their names.
type book struct {
	entries []*named
	names   map[reflect.Type]string // those that are called otherwise than in Go
	docs    map[string]string       // by Type and Type.Field
	input   bool                    // what is collected is read by the service, not written
}

// readDocs adds the comments of a package's types and fields.
func (b *book) readDocs(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return err
	}
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return fmt.Errorf("read comments: %w", err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			d, ok := n.(*ast.GenDecl)
			if !ok || d.Tok != token.TYPE {
				return true
			}
			for _, s := range d.Specs {
				t := s.(*ast.TypeSpec)
				b.docs[t.Name.Name] = plain(d.Doc, t.Doc)
				fields, ok := t.Type.(*ast.StructType)
				if !ok {
					continue
				}
				for _, f := range fields.Fields.List {
					for _, name := range f.Names {
						b.docs[t.Name.Name+"."+name.Name] = plain(f.Doc, f.Comment)
					}
				}
			}
			return false
		})
	}
	return nil
}

// plain is a comment's first paragraph, which tells without an example.
func plain(groups ...*ast.CommentGroup) string {
	for _, g := range groups {
		if text := strings.TrimSpace(g.Text()); text != "" {
			text, _, _ = strings.Cut(text, "\n\n")
			return strings.TrimSuffix(line(text), " An example:")
		}
	}
	return ""
}

var (
	timeType = reflect.TypeFor[time.Time]()
	rawType  = reflect.TypeFor[json.RawMessage]()
)

// add collects a type and gives its shape.
func (b *book) add(t reflect.Type) (*shape, error) {
	switch {
	case t == timeType:
		return &shape{kind: "string", format: "date-time"}, nil
	case t == rawType:
		return &shape{kind: "any"}, nil
	case t.Kind() == reflect.Pointer:
		return b.add(t.Elem())
	case t.Name() == "duration":
		return &shape{kind: "duration"}, nil
	}
	switch t.Kind() {
	case reflect.String:
		return &shape{kind: "string"}, nil
	case reflect.Bool:
		return &shape{kind: "boolean"}, nil
	case reflect.Int, reflect.Int32, reflect.Int64:
		return &shape{kind: "integer"}, nil
	case reflect.Float32, reflect.Float64:
		return &shape{kind: "number"}, nil
	case reflect.Slice, reflect.Map:
		of, err := b.add(t.Elem())
		if t.Kind() == reflect.Map {
			return &shape{kind: "map", of: of}, err
		}
		return &shape{kind: "array", of: of}, err
	case reflect.Struct:
		if t.Name() == "" {
			return b.object(t)
		}
		name := b.names[t]
		if name == "" {
			name = t.Name()
		}
		for _, e := range b.entries {
			if e.name == name {
				return &shape{kind: "ref", ref: name}, nil
			}
		}
		doc := b.docs[t.Name()]
		if rest, ok := strings.CutPrefix(doc, t.Name()+" "); ok && name != t.Name() {
			doc = name + " " + rest
		}
		e := &named{name: name, doc: doc}
		b.entries = append(b.entries, e)
		var err error
		e.shape, err = b.object(t)
		return &shape{kind: "ref", ref: name}, err
	}
	return nil, fmt.Errorf("%v has no shape in JSON", t)
}

func (b *book) object(t reflect.Type) (*shape, error) {
	out := &shape{kind: "object", closed: b.input}
	for f := range t.Fields() {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case name == "-" || !f.IsExported():
			continue
		case f.Anonymous && name == "":
			inner, err := b.object(f.Type)
			if err != nil {
				return nil, err
			}
			out.fields = append(out.fields, inner.fields...)
			continue
		case name == "":
			return nil, fmt.Errorf("%v.%s has no name in JSON", t, f.Name)
		}
		s, err := b.add(f.Type)
		if err != nil {
			return nil, fmt.Errorf("%v.%s: %w", t, f.Name, err)
		}
		out.fields = append(out.fields, field{
			name: name, doc: b.docs[t.Name()+"."+f.Name], shape: s, optional: b.input || strings.Contains(options, "omitempty"),
		})
	}
	return out, nil
}
