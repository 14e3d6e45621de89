package linear

import (
	"github.com/dop251/goja"
	"github.com/dop251/goja/unistring"
)

// values are those of fields that can be copied without anybody's code: nil where there is a getter,
// or a symbol.
func plainFields(o *object) *common {
	c := fieldsOf(o)
	if c == nil || c.symbols != nil {
		return nil
	}
	for _, name := range c.names {
		if _, hidden, plain := Field(c.values[name]); !plain && !hidden {
			return nil
		}
	}
	return c
}

// spreadFields copies what is enumerable into a literal's object; false where it is goja's to do.
func spreadFields(into, from *object) bool {
	if from == nil || into == nil || into.self.kind != kinds.plain {
		return false
	}
	c := plainFields(from)
	if c == nil {
		return false
	}
	target := commonOf(into)
	if len(target.names) == 0 {
		target.names = make([]unistring.String, 0, len(c.names)+1)
	}
	for _, name := range c.names {
		if value, hidden, _ := Field(c.values[name]); !hidden {
			Put(asGoja(into), name, value)
		}
	}
	return true
}

// restFields is the object of what a pattern left; nil where it is goja's to make.
func restFields(r *goja.Runtime, source *pattern) *goja.Object {
	c := plainFields(objectOf(source.wrapped))
	if c == nil {
		return nil
	}
	rest := r.NewObject()
	commonOf(asObject(rest)).names = make([]unistring.String, 0, len(c.names))
	for _, name := range c.names {
		if _, used := source.used[name]; used {
			continue
		}
		if value, hidden, _ := Field(c.values[name]); !hidden {
			Put(rest, name, value)
		}
	}
	return rest
}
