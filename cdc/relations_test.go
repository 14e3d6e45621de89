package cdc

import (
	"maps"
	"slices"
	"testing"

	"github.com/jackc/pglogrepl"
)

// The relations of the contract as a migrated database describes them.
const (
	projectsOID uint32 = iota + 1
	workflowsOID
	codeOID
	componentsOID
	requestsOID
	ownOID
	strangeOID
)

func description(id uint32, name string, identity int, columns ...string) *pglogrepl.RelationMessage {
	m := &pglogrepl.RelationMessage{RelationID: id, Namespace: "public", RelationName: name}
	for i, column := range columns {
		c := &pglogrepl.RelationMessageColumn{Name: column}
		if i < identity {
			c.Flags = 1
		}
		m.Columns = append(m.Columns, c)
	}
	return m
}

func contractRelations() relations {
	r := relations{}
	for _, m := range []*pglogrepl.RelationMessage{
		description(projectsOID, "projects", 1, "id"),
		description(workflowsOID, "workflows", 2, "id", "project_id"),
		description(codeOID, "workflow_compiled_code", 2, "id", "workflow_id"),
		description(componentsOID, "components", 1, "id", "project_id"),
		description(requestsOID, "worker_requests", 1, "id", "project_id"),
		description(ownOID, "workflow_workers", 1, "id"),
		description(strangeOID, "invoices", 1, "id"),
	} {
		r.note(m, &changes{})
	}
	return r
}

// tuple makes a row image; "" is NULL, "?" a value that isn't sent.
func tuple(values ...string) *pglogrepl.TupleData {
	row := &pglogrepl.TupleData{ColumnNum: uint16(len(values))}
	for _, value := range values {
		column := &pglogrepl.TupleDataColumn{DataType: pglogrepl.TupleDataTypeText, Data: []byte(value)}
		switch value {
		case "":
			column = &pglogrepl.TupleDataColumn{DataType: pglogrepl.TupleDataTypeNull}
		case "?":
			column = &pglogrepl.TupleDataColumn{DataType: pglogrepl.TupleDataTypeToast}
		}
		row.Columns = append(row.Columns, column)
	}
	return row
}

func insert(id uint32, row *pglogrepl.TupleData) pglogrepl.Message {
	return &pglogrepl.InsertMessage{RelationID: id, Tuple: row}
}

func update(id uint32, old, row *pglogrepl.TupleData) pglogrepl.Message {
	return &pglogrepl.UpdateMessage{RelationID: id, OldTuple: old, NewTuple: row}
}

func remove(id uint32, old *pglogrepl.TupleData) pglogrepl.Message {
	return &pglogrepl.DeleteMessage{RelationID: id, OldTuple: old}
}

func TestEveryChangeLeadsToItsProjectsOrToAll(t *testing.T) {
	t.Parallel()
	defaultIdentity := description(workflowsOID, "workflows", 1, "id", "project_id")
	fullIdentity := description(componentsOID, "components", 2, "id", "project_id")
	for _, c := range []struct {
		name                                    string
		messages                                []pglogrepl.Message
		projects, workflows, components, shared []string
		all                                     string
	}{
		{name: "project inserted", messages: []pglogrepl.Message{insert(projectsOID, tuple("p1"))}, projects: []string{"p1"}},
		{name: "project updated", messages: []pglogrepl.Message{update(projectsOID, nil, tuple("p1"))}, projects: []string{"p1"}},
		{name: "project given another id", messages: []pglogrepl.Message{update(projectsOID, tuple("p1"), tuple("p2"))}, projects: []string{"p1", "p2"}},
		{name: "project deleted", messages: []pglogrepl.Message{remove(projectsOID, tuple("p1"))}, projects: []string{"p1"}},

		{name: "workflow inserted", messages: []pglogrepl.Message{insert(workflowsOID, tuple("w1", "p1"))}, projects: []string{"p1"}},
		{name: "workflow updated", messages: []pglogrepl.Message{update(workflowsOID, nil, tuple("w1", "p1"))}, projects: []string{"p1"}},
		{name: "workflow moved", messages: []pglogrepl.Message{update(workflowsOID, tuple("w1", "p1"), tuple("w1", "p2"))}, projects: []string{"p1", "p2"}},
		{name: "workflow deleted", messages: []pglogrepl.Message{remove(workflowsOID, tuple("w1", "p1"))}, projects: []string{"p1"}},
		{name: "workflow updated, perhaps moved, under default identity", messages: []pglogrepl.Message{defaultIdentity, update(workflowsOID, nil, tuple("w1", "p1"))},
			projects: []string{"p1"}, all: "old row of workflows without project_id"},
		{name: "workflow deleted under default identity", messages: []pglogrepl.Message{defaultIdentity, remove(workflowsOID, tuple("w1", ""))},
			all: "old row of workflows without project_id"},
		{name: "workflow without a project", messages: []pglogrepl.Message{insert(workflowsOID, tuple("w1", ""))}, all: "row of workflows without project_id"},
		{name: "workflow whose project isn't sent", messages: []pglogrepl.Message{insert(workflowsOID, tuple("w1", "?"))}, all: "row of workflows without project_id"},
		{name: "row image that is too short", messages: []pglogrepl.Message{insert(workflowsOID, tuple("w1"))}, all: "row of workflows without project_id"},

		{name: "code inserted", messages: []pglogrepl.Message{insert(codeOID, tuple("c1", "w1"))}, workflows: []string{"w1"}},
		{name: "code edited in place", messages: []pglogrepl.Message{update(codeOID, nil, tuple("c1", "w1"))}, workflows: []string{"w1"}},
		{name: "code moved", messages: []pglogrepl.Message{update(codeOID, tuple("c1", "w1"), tuple("c1", "w2"))}, workflows: []string{"w1", "w2"}},
		{name: "code deleted", messages: []pglogrepl.Message{remove(codeOID, tuple("c1", "w1"))}, workflows: []string{"w1"}},

		{name: "component inserted", messages: []pglogrepl.Message{insert(componentsOID, tuple("a1", "p1"))}, projects: []string{"p1"}},
		{name: "component updated", messages: []pglogrepl.Message{update(componentsOID, nil, tuple("a1", "p1"))}, projects: []string{"p1"}, components: []string{"a1"}},
		{name: "shared component inserted", messages: []pglogrepl.Message{insert(componentsOID, tuple("a1", ""))}, shared: []string{"a1"}},
		{name: "shared component updated", messages: []pglogrepl.Message{update(componentsOID, nil, tuple("a1", ""))}, shared: []string{"a1"}, components: []string{"a1"}},
		{name: "component deleted", messages: []pglogrepl.Message{remove(componentsOID, tuple("a1", ""))}, all: "old row of components without project_id"},
		{name: "component moved under full identity", messages: []pglogrepl.Message{fullIdentity, update(componentsOID, tuple("a1", "p1"), tuple("a1", "p2"))}, projects: []string{"p1", "p2"}},
		{name: "shared component deleted under full identity", messages: []pglogrepl.Message{fullIdentity, remove(componentsOID, tuple("a1", ""))}, shared: []string{"a1"}},

		{name: "request inserted", messages: []pglogrepl.Message{insert(requestsOID, tuple("r1", "p1"))}, projects: []string{"p1"}},
		{name: "request updated, by us", messages: []pglogrepl.Message{update(requestsOID, nil, tuple("r1", "p1"))}},
		{name: "request deleted", messages: []pglogrepl.Message{remove(requestsOID, tuple("r1", ""))}},

		{name: "our own table, published by somebody", messages: []pglogrepl.Message{insert(ownOID, tuple("1")), update(ownOID, nil, tuple("1")), remove(ownOID, tuple("1")),
			&pglogrepl.TruncateMessage{RelationIDs: []uint32{ownOID}}}},
		{name: "table of others", messages: []pglogrepl.Message{insert(strangeOID, tuple("1"))}, all: "change of invoices"},
		{name: "table that was never described", messages: []pglogrepl.Message{remove(99, tuple("1"))}, all: "change of an unknown table"},
		{name: "truncate", messages: []pglogrepl.Message{&pglogrepl.TruncateMessage{RelationIDs: []uint32{ownOID, codeOID}}}, all: "truncate of workflow_compiled_code"},

		{name: "cascade", messages: []pglogrepl.Message{remove(projectsOID, tuple("p1")), remove(workflowsOID, tuple("w1", "p1")), remove(codeOID, tuple("c1", "w1"))},
			projects: []string{"p1"}, workflows: []string{"w1"}},
		{name: "what was counted", messages: []pglogrepl.Message{update(projectsOID, nil, tuple("p1")),
			&pglogrepl.LogicalDecodingMessage{Prefix: MessagePrefix, Content: []byte("counts")}, update(projectsOID, nil, tuple("p2")), update(codeOID, nil, tuple("c1", "w1"))},
			projects: []string{"p1"}},
		{name: "types and origins", messages: []pglogrepl.Message{&pglogrepl.TypeMessage{}, &pglogrepl.OriginMessage{}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := contractRelations()
			var got changes
			for _, m := range c.messages {
				r.note(m, &got)
			}
			if got.all != c.all {
				t.Errorf("look at all: %q, want %q", got.all, c.all)
			}
			for _, set := range []struct {
				name string
				got  keys
				want []string
			}{{"projects", got.projects, c.projects}, {"workflows", got.workflows, c.workflows}, {"components", got.components, c.components}, {"shared", got.shared, c.shared}} {
				if ids := slices.Sorted(maps.Keys(set.got)); !slices.Equal(ids, set.want) {
					t.Errorf("%s: %v, want %v", set.name, ids, set.want)
				}
			}
		})
	}
}

func TestLargeTransactionKeepsNoKeys(t *testing.T) {
	t.Parallel()
	r := contractRelations()
	var got changes
	for i := range 3 * maxKeys {
		r.note(insert(projectsOID, tuple(string(rune('a'+i%26))+string(rune(0x4000+i)))), &got)
		if got.size() > maxKeys {
			t.Fatalf("%d keys after %d rows", got.size(), i+1)
		}
	}
	if got.all != "large transaction" || got.size() != 0 {
		t.Errorf("look at all: %q; %d keys", got.all, got.size())
	}
}

func TestMalformedMessageIsAnErrorNotAPanic(t *testing.T) {
	t.Parallel()
	for _, data := range [][]byte{nil, {'I'}, {'I', 0, 0, 0, 1, 'N', 0, 9}, {'R', 0, 0, 0, 1, 'a', 0, 'b', 0}, {'?'}} {
		if message, err := decode(data); err == nil {
			t.Errorf("%q decoded to %v", data, message)
		}
	}
}
