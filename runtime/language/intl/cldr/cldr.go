package cldr

import (
	"archive/zip"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"sort"
	"strings"
	"sync"
)

//go:embed all:dist
var dist embed.FS

// ErrNotBuilt is what everything here returns when the program was built without its data.
var ErrNotBuilt = errors.New("the locale data was not built into this program: run `make bundle` and build again")

// Texts are keys with their values, in the order of the keys.
type Texts struct {
	text  string
	lines []int32 // where they begin
	base  *Texts  // has what isn't here
}

// archive opens one of the built archives.
func archive(name string) (*zip.Reader, error) {
	data, err := dist.ReadFile("dist/" + name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotBuilt
	}
	if err != nil {
		return nil, err
	}
	return zip.NewReader(bytes.NewReader(data), int64(len(data)))
}

var locales = sync.OnceValues(func() (map[string]func() (*Texts, error), error) {
	files, err := archive("cldr.zip")
	if err != nil {
		return nil, err
	}
	all := map[string]func() (*Texts, error){}
	for _, f := range files.File {
		all[f.Name] = sync.OnceValues(func() (*Texts, error) {
			var base *Texts
			if language, _, regional := strings.Cut(f.Name, "-"); regional {
				var err error
				if base, err = all[language](); err != nil {
					return nil, err
				}
			}
			return load(f, base)
		})
	}
	return all, nil
})

// Has tells whether there is data of a locale's own.
func Has(name string) bool {
	all, err := locales()
	return err == nil && all[name] != nil
}

// Locale gives a locale's texts, as "de" or "pt-PT", or the "supplemental" ones.
func Locale(name string) (*Texts, error) {
	all, err := locales()
	if err != nil {
		return nil, err
	}
	if all[name] == nil {
		return nil, fmt.Errorf("there are no texts of the locale %q", name)
	}
	return all[name]()
}

func load(f *zip.File, base *Texts) (*Texts, error) {
	text, err := readFile(f)
	if err != nil {
		return nil, fmt.Errorf("read the texts of %q: %w", f.Name, err)
	}
	t := &Texts{text: text, lines: make([]int32, 0, strings.Count(text, "\n")), base: base}
	for at := 0; at < len(text); at += strings.IndexByte(text[at:], '\n') + 1 {
		t.lines = append(t.lines, int32(at)) //nolint:gosec // a test reads the files, of some 100 KB
	}
	return t, nil
}

func readFile(f *zip.File) (string, error) {
	r, err := f.Open()
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// line gives a line's key and value; ok is false of a key that only says that it isn't there.
func (t *Texts) line(i int) (key, value string, ok bool) {
	from, to := int(t.lines[i]), len(t.text)-1
	if i+1 < len(t.lines) {
		to = int(t.lines[i+1]) - 1
	}
	return strings.Cut(t.text[from:to], "\t")
}

// find gives the first line whose key isn't less.
func (t *Texts) find(key string) int {
	return sort.Search(len(t.lines), func(i int) bool {
		k, _, _ := t.line(i)
		return k >= key
	})
}

// Get gives a key's value.
func (t *Texts) Get(key string) (string, bool) {
	if i := t.find(key); i < len(t.lines) {
		if k, v, ok := t.line(i); k == key {
			return v, ok
		}
	}
	if t.base != nil {
		return t.base.Get(key)
	}
	return "", false
}

// Under gives what is below a prefix, in no order that means anything; the keys without the prefix.
func (t *Texts) Under(prefix string) iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for i := t.find(prefix); i < len(t.lines); i++ {
			k, v, ok := t.line(i)
			rest, below := strings.CutPrefix(k, prefix)
			if !below {
				break
			}
			if ok && !yield(rest, v) {
				return
			}
		}
		if t.base == nil {
			return
		}
		for k, v := range t.base.Under(prefix) {
			key := prefix + k
			if i := t.find(key); i < len(t.lines) {
				if own, _, _ := t.line(i); own == key {
					continue
				}
			}
			if !yield(k, v) {
				return
			}
		}
	}
}
