package steps

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"

	commonpb "go.temporal.io/api/common/v1"

	"workflow-worker/reconcile/executions/shown"
	"workflow-worker/reconcile/rows"
)

// redaction is what must not land of an activity's values.
type redaction struct {
	all   bool
	names []string // of properties, at any depth, in lower case
}

const redacted = shown.Redacted

// minSecret is how long a secret must be to be looked for in other texts: a shorter one is in them
// by chance.
const minSecret = 4

func (r redaction) none() bool { return !r.all && len(r.names) == 0 }

// with adds what a component, or a node, says: a list of names, one name, or true for all.
func (r redaction) with(said json.RawMessage) redaction {
	var list []any
	var one any
	if len(said) == 0 || json.Unmarshal(said, &one) != nil {
		return r
	}
	switch v := one.(type) {
	case bool:
		r.all = r.all || v
	case string:
		list = []any{v}
	case []any:
		list = v
	}
	for _, name := range list {
		if text, ok := name.(string); ok && text != "" {
			r.names = append(r.names, strings.ToLower(text))
		}
	}
	return r
}

// Activity is one that a workflow calls.
type Activity struct{ WorkflowID, Name string }

// Secretive says which of the activities have values that don't land in rows, of which their
// failures may tell.
func (s *Steps) Secretive(ctx context.Context, asked []Activity) (map[Activity]bool, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	workflows := make([]string, len(asked))
	for i, a := range asked {
		workflows[i] = a.WorkflowID
	}
	if err := s.define(ctx, workflows); err != nil {
		return nil, err
	}
	found := map[Activity]bool{}
	for _, a := range asked {
		if d := s.definitions[a.WorkflowID]; d != nil {
			found[a] = !d.redactionOf(a.Name, nil).none()
		}
	}
	return found, nil
}

// redactionOf gives what holds for an activity of a node; for one without a name, what holds for any.
func (d *definition) redactionOf(activity string, n *rows.StepNode) redaction {
	key := activity
	if n != nil {
		key += "\x00" + n.ID
	}
	if r, ok := d.redacted[key]; ok {
		return r
	}
	r := d.own()
	if c := d.named[activity]; c != nil {
		r = r.with(c.Redact)
	}
	nodes := d.of(activity)
	switch {
	case n != nil:
		nodes = []*rows.StepNode{n}
	case activity == "":
		nodes = nil
		for i := range d.Nodes {
			nodes = append(nodes, &d.Nodes[i])
		}
		for _, c := range d.Components {
			r = r.with(c.Redact)
		}
	}
	for _, n := range nodes { // of one that isn't known, what any of them says
		r = r.with(n.Redact)
		if c := d.components[strings.ToLower(n.ComponentID)]; c != nil {
			r = r.with(c.Redact)
		}
	}
	if len(d.redacted) < 1000 {
		d.redacted[key] = r
	}
	return r
}

// own is what the definition itself names, for all that its executions show.
func (d *definition) own() (r redaction) {
	for _, said := range d.Redact {
		r = r.with(said)
	}
	return r
}

// Redaction is what must not land of what an execution takes, gives and throws.
type Redaction struct{ redaction }

// Redactions gives those of workflows' executions, of workflows that have any: what their definition
// names, and by name what its nodes and their components do.
func (s *Steps) Redactions(ctx context.Context, workflows []string) (map[string]Redaction, error) {
	s.wmu.Lock()
	defer s.wmu.Unlock()
	if err := s.define(ctx, workflows); err != nil {
		return nil, err
	}
	found := map[string]Redaction{}
	for _, id := range workflows {
		d := s.definitions[id]
		if d == nil {
			continue
		}
		r := d.own()
		for i := range d.Nodes {
			n := &d.Nodes[i]
			r.names = append(r.names, redaction{}.with(n.Redact).names...)
			if c := d.components[strings.ToLower(n.ComponentID)]; c != nil {
				r.names = append(r.names, redaction{}.with(c.Redact).names...)
			}
		}
		if !r.none() {
			found[id] = Redaction{r}
		}
	}
	return found, nil
}

// Clean takes them out of an execution's values and its failure, whose texts may have what is secret
// in the arguments.
func (r Redaction) Clean(arguments []string, values []**string, failure *shown.Failure) {
	c := &cleaner{redaction: r.redaction}
	for _, text := range arguments {
		c.learnText(text)
	}
	for _, v := range values {
		if *v != nil {
			c.learnText(**v)
		}
	}
	for f := failure; f != nil; f = f.Cause {
		c.learnText(string(f.Details))
	}
	for _, v := range values {
		if *v != nil {
			*v = new(c.json(**v))
		}
	}
	for f := failure; f != nil; f = f.Cause {
		f.Message, f.Stack = c.text(f.Message), c.text(f.Stack)
		if c.all {
			f.Message, f.Stack = redacted, ""
		}
		if len(f.Details) > 0 {
			f.Details = json.RawMessage(c.json(string(f.Details)))
		}
	}
}

// cleaner takes the secrets out of one step, or of what an execution shows.
type cleaner struct {
	redaction
	secrets []string
}

// learn collects the secrets that payloads hold.
func (c *cleaner) learn(p *commonpb.Payloads) {
	for _, one := range p.GetPayloads() {
		if v, ok := decoded(one.GetData()); ok {
			c.walk(v, c.all)
		}
	}
	c.order()
}

func (c *cleaner) learnText(text string) {
	if v, ok := decoded([]byte(text)); ok {
		c.walk(v, c.all)
		c.order()
	}
}

// json is a value without the secrets.
func (c *cleaner) json(text string) string {
	v, ok := decoded([]byte(text))
	if ok {
		if clean, err := json.Marshal(c.scrub(c.walk(v, c.all))); err == nil {
			return string(clean)
		}
	}
	return `"` + redacted + `"`
}

func (c *cleaner) order() {
	// The longest first: one may be part of another.
	slices.SortFunc(c.secrets, func(a, b string) int { return len(b) - len(a) })
	c.secrets = slices.Compact(c.secrets)
}

func decoded(data []byte) (v any, ok bool) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	return v, d.Decode(&v) == nil
}

// walk replaces what the names name, and notes it.
func (c *cleaner) walk(v any, secret bool) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			v[name] = c.walk(member, secret || slices.Contains(c.names, strings.ToLower(name)))
		}
		if secret {
			return redacted
		}
	case []any:
		for i, member := range v {
			v[i] = c.walk(member, secret)
		}
		if secret {
			return redacted
		}
	case string:
		if secret {
			c.note(v)
			return redacted
		}
	case json.Number:
		if secret {
			c.note(v.String())
			return redacted
		}
	case bool:
		if secret {
			return redacted
		}
	}
	return v
}

func (c *cleaner) note(secret string) {
	if len(secret) >= minSecret {
		c.secrets = append(c.secrets, secret)
	}
}

// text takes the secrets out of a text, also as JSON writes them.
func (c *cleaner) text(s string) string {
	for _, secret := range c.secrets {
		s = strings.ReplaceAll(s, secret, redacted)
		if quoted, err := json.Marshal(secret); err == nil {
			s = strings.ReplaceAll(s, string(quoted[1:len(quoted)-1]), redacted)
		}
	}
	return s
}

// scrub takes them out of all texts of a value.
func (c *cleaner) scrub(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, member := range v {
			clean := c.scrub(member)
			if is := c.text(name); is != name {
				delete(v, name)
				name = is
			}
			v[name] = clean
		}
	case []any:
		for i, member := range v {
			v[i] = c.scrub(member)
		}
	case string:
		return c.text(v)
	case json.Number:
		if slices.Contains(c.secrets, v.String()) {
			return redacted
		}
	}
	return v
}

// payloads are values without the secrets; what is no JSON isn't looked through, and goes.
func (c *cleaner) payloads(p *commonpb.Payloads) *commonpb.Payloads {
	if p == nil || c.none() {
		return p
	}
	out := &commonpb.Payloads{}
	for _, one := range p.GetPayloads() {
		var clean any = redacted
		switch encoding := string(one.GetMetadata()["encoding"]); {
		case encoding == "binary/null":
			out.Payloads = append(out.Payloads, one)
			continue
		case encoding == "json/plain" || encoding == "json/protobuf":
			if v, ok := decoded(one.GetData()); ok {
				clean = c.scrub(c.walk(v, c.all))
			}
		}
		data, err := json.Marshal(clean)
		if err != nil {
			data = []byte(`"` + redacted + `"`)
		}
		out.Payloads = append(out.Payloads, shown.Payload(data))
	}
	return out
}
