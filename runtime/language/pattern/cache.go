package pattern

import "sync"

// maxCached bounds the programs that Compiled remembers, in bytes.
const maxCached = 16 << 20

// cached are programs that were compiled before: many runtimes run the same code.
var cached struct {
	mu    sync.Mutex // guards the rest
	known map[string]*Program
	order []string // of known, the oldest first
	size  int
}

// Compiled is Compile for expressions that are compiled again and again.
func Compiled(source []uint16, flags string) (*Program, error) {
	key := keyOf(source, flags)
	c := &cached
	c.mu.Lock()
	p := c.known[key]
	c.mu.Unlock()
	if p != nil {
		return p, nil
	}
	p, err := Compile(source, flags)
	if err != nil || p.size > maxCached/4 {
		return p, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil {
		c.known = map[string]*Program{}
	}
	if other := c.known[key]; other != nil {
		return other, nil
	}
	c.known[key] = p
	c.order = append(c.order, key)
	for c.size += p.size; c.size > maxCached; c.order = c.order[1:] {
		oldest := c.order[0]
		c.size -= c.known[oldest].size
		delete(c.known, oldest)
	}
	return p, nil
}

func keyOf(source []uint16, flags string) string {
	b := make([]byte, 0, 2*len(source)+len(flags)+1)
	b = append(append(b, flags...), '/')
	for _, c := range source {
		b = append(b, byte(c), byte(c>>8))
	}
	return string(b)
}
