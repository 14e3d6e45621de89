package cdc

// maxKeys of one transaction; beyond it, all is looked at. A bulk load of that size
// touches most projects anyway.
const maxKeys = 1000

// keys is a set of row ids, nil while empty.
type keys map[string]struct{}

func (k *keys) add(id string) {
	if *k == nil {
		*k = make(keys)
	}
	(*k)[id] = struct{}{}
}

func (k keys) list() []string {
	if len(k) == 0 {
		return nil
	}
	list := make([]string, 0, len(k))
	for id := range k {
		list = append(list, id)
	}
	return list
}

// changes is what transactions touched, as keys only.
type changes struct {
	// all is the reason why no list of keys says it; empty if one does.
	all string
	// projects are named by the rows.
	projects keys
	// workflows: their projects have to be looked up, after the transaction is
	// visible. Remembering a workflow's project instead would miss that it moved.
	workflows keys
	// components: the projects that run them now have to be looked up. Their replica
	// identity doesn't have the project that a component was taken from.
	components keys
	// shared are components without a project: whose definitions refer to them has
	// to be looked up.
	shared keys
	// messages are contents, of those that the log has beside the rows.
	messages keys
	// counted says that what comes from here on in a transaction was counted, in rows that say
	// what should run, and nothing else.
	counted bool
}

func (c *changes) size() int {
	return len(c.projects) + len(c.workflows) + len(c.components) + len(c.shared) + len(c.messages)
}

func (c *changes) empty() bool { return c.all == "" && c.size() == 0 }

// lookAtAll keeps the keys: what is named can be looked at before the rest.
func (c *changes) lookAtAll(reason string) {
	if c.all == "" {
		c.all = reason
	}
}

// bound forgets the keys if they are too many, and from then on all that come.
func (c *changes) bound() {
	const large = "large transaction"
	if c.size() > maxKeys || c.all == large {
		*c = changes{all: large} // whoever waits for a message looks at all then, too
	}
}

// follows says whether projects have to be looked up in the database.
func (c *changes) follows() bool { return len(c.workflows)+len(c.components) > 0 }

// merge adds what others touched.
func (c *changes) merge(others changes) {
	if others.all != "" {
		c.lookAtAll(others.all)
	}
	for _, set := range []struct{ to, from *keys }{
		{&c.projects, &others.projects}, {&c.workflows, &others.workflows},
		{&c.components, &others.components}, {&c.shared, &others.shared},
		{&c.messages, &others.messages},
	} {
		for id := range *set.from {
			set.to.add(id)
		}
	}
}
