package steps

import (
	"cmp"
	"regexp"
	"strings"
	"time"

	"workflow-worker/reconcile/rows"
)

// definition is what a workflow says about the steps of its executions.
type definition struct {
	rows.StepDefinition
	read       time.Time
	components map[string]*rows.StepComponent // by id
	named      map[string]*rows.StepComponent // by name: the project's own before shared ones
	nodes      map[string][]*rows.StepNode    // by activity, as far as asked
	redacted   map[string]redaction           // by activity and node, as far as asked
}

func newDefinition(d rows.StepDefinition) *definition {
	out := &definition{
		StepDefinition: d, read: time.Now(), components: map[string]*rows.StepComponent{}, named: map[string]*rows.StepComponent{},
		nodes: map[string][]*rows.StepNode{}, redacted: map[string]redaction{},
	}
	for i := range d.Components {
		c := &d.Components[i]
		out.components[c.ID] = c
		if out.named[c.Name] == nil {
			out.named[c.Name] = c
		}
	}
	return out
}

// of gives the nodes that name an activity, in the definition's order: by their component, else by
// the component's name in the node, else by the label, else by the node's id.
func (d *definition) of(activity string) []*rows.StepNode {
	if found, ok := d.nodes[activity]; ok {
		return found
	}
	var found []*rows.StepNode
	for _, name := range []func(*rows.StepNode) string{
		func(n *rows.StepNode) string {
			if c := d.components[strings.ToLower(n.ComponentID)]; c != nil {
				return c.Name
			}
			return ""
		},
		func(n *rows.StepNode) string { return n.ComponentName },
		func(n *rows.StepNode) string { return n.Label },
		func(n *rows.StepNode) string { return n.ID },
	} {
		for i := range d.Nodes {
			n := &d.Nodes[i]
			if is := name(n); n.ID != "" && is != "" && (is == activity || camelCase(is) == activity) {
				found = append(found, n)
			}
		}
		if found != nil {
			break
		}
	}
	if len(d.nodes) < 1000 { // activities may be called by any name
		d.nodes[activity] = found
	}
	return found
}

// node gives the node of an activity that was scheduled after so many others of the name; nil if
// there is none, or if that isn't known and there are several.
func (d *definition) node(activity string, ordinal int) *rows.StepNode {
	all := d.of(activity)
	switch {
	case len(all) == 0:
		return nil
	case len(all) == 1:
		return all[0]
	case ordinal < 0:
		return nil
	}
	return all[ordinal%len(all)]
}

var isUUID = regexp.MustCompile(`(?i)^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// componentOf gives the component of an activity, "" if there is none.
func (d *definition) componentOf(activity string, n *rows.StepNode) string {
	var byNode, byName string
	if n != nil && isUUID.MatchString(n.ComponentID) {
		byNode = n.ComponentID
	}
	if c := d.named[activity]; c != nil {
		byName = c.ID
	}
	return cmp.Or(byNode, byName)
}

// expected says whether so many retries are what was asked for.
func expected(n *rows.StepNode, retries, maxAttempts int) bool {
	if retries <= 0 {
		return false
	}
	if n == nil || n.RetryPolicy == nil {
		return maxAttempts > retries
	}
	most := n.RetryPolicy.MaxAttempts
	switch n.RetryPolicy.Strategy {
	case "keep-trying":
		return true
	case "fail-after-x":
		return retries < cmp.Or(most, 3)
	case "exponential-backoff":
		return retries < cmp.Or(most, 5)
	}
	return false
}

var wordStart = regexp.MustCompile(`[^a-zA-Z0-9]+(.)`)

// camelCase is how the Workflow Builder makes an activity's name of what people call it.
func camelCase(s string) string {
	s = wordStart.ReplaceAllStringFunc(s, func(m string) string {
		r := []rune(m)
		return strings.ToUpper(string(r[len(r)-1]))
	})
	if s != "" && s[0] >= 'A' && s[0] <= 'Z' {
		s = strings.ToLower(s[:1]) + s[1:]
	}
	return s
}
