package cdc

import (
	"slices"

	"github.com/jackc/pglogrepl"
)

// relation is a table as the stream describes it before its first change.
type relation struct {
	name     string
	columns  []string
	identity []string // the columns that an old row's image has
}

// countsMessage says that what follows in its transaction is the service's own counting.
const countsMessage = "counts"

// relations is what the stream has described so far, by the table's OID. It belongs
// to one connection: the server describes everything again on the next.
type relations map[uint32]relation

// note adds what a message changed. It is pure but for the relations it remembers.
func (r relations) note(message pglogrepl.Message, c *changes) {
	switch m := message.(type) {
	case *pglogrepl.RelationMessage:
		r[m.RelationID] = newRelation(m)
	case *pglogrepl.InsertMessage:
		r.row(inserted, m.RelationID, nil, m.Tuple, c)
	case *pglogrepl.UpdateMessage:
		r.row(updated, m.RelationID, m.OldTuple, m.NewTuple, c)
	case *pglogrepl.DeleteMessage:
		r.row(deleted, m.RelationID, m.OldTuple, nil, c)
	case *pglogrepl.LogicalDecodingMessage:
		switch {
		case m.Prefix != MessagePrefix:
		case string(m.Content) == countsMessage:
			c.counted = true
		default:
			c.messages.add(string(m.Content))
		}
	case *pglogrepl.TruncateMessage:
		for _, id := range m.RelationIDs {
			if name := r[id].name; !isOurs(name) {
				c.lookAtAll("truncate of " + described(name))
			}
		}
	}
	c.bound()
}

func newRelation(m *pglogrepl.RelationMessage) relation {
	known := relation{name: m.RelationName}
	for _, column := range m.Columns {
		known.columns = append(known.columns, column.Name)
		if column.Flags&1 != 0 { // set for every column under REPLICA IDENTITY FULL
			known.identity = append(known.identity, column.Name)
		}
	}
	return known
}

type operation int

const (
	inserted operation = iota
	updated
	deleted
)

// row adds the keys of one row: of its new image and, where there is one, of its old
// image. An update has that only if a column of the replica identity changed.
func (r relations) row(op operation, id uint32, old, row *pglogrepl.TupleData, c *changes) {
	known := r[id]
	t, ok := contractTable(known.name)
	switch {
	case isOurs(known.name), t.insertOnly && op != inserted, c.counted:
		return
	case !ok:
		c.lookAtAll("change of " + described(known.name))
		return
	}
	if row != nil {
		known.follow(t, row, c)
	}
	if op == inserted {
		return
	}
	switch {
	case slices.Contains(known.identity, t.key):
		if old != nil {
			known.follow(t, old, c)
		}
	case t.leads == ownsOrShares && op == updated:
		// The project may have changed, but edits are common and such moves rare: look
		// at whoever runs the component now, not at everything. What is missed, the
		// resync finds.
		if value, _, ok := known.value(row, "id"); ok {
			c.components.add(value)
		}
	default:
		c.lookAtAll("old row of " + known.name + " without " + t.key)
	}
}

// follow adds the key of one row image.
func (r relation) follow(t table, row *pglogrepl.TupleData, c *changes) {
	value, null, ok := r.value(row, t.key)
	if ok && null && t.leads == ownsOrShares {
		if value, null, ok = r.value(row, "id"); ok && !null {
			c.shared.add(value)
			return
		}
	}
	switch {
	case !ok || null:
		c.lookAtAll("row of " + r.name + " without " + t.key)
	case t.leads == isWorkflow:
		c.workflows.add(value)
	default:
		c.projects.add(value)
	}
}

func described(name string) string {
	if name == "" {
		return "an unknown table"
	}
	return name
}

// value is a column of a row image. It is null, or absent: not published, or too
// large and unchanged.
func (r relation) value(row *pglogrepl.TupleData, column string) (value string, null, ok bool) {
	i := slices.Index(r.columns, column)
	if i < 0 || i >= len(row.Columns) {
		return "", false, false
	}
	switch field := row.Columns[i]; field.DataType {
	case pglogrepl.TupleDataTypeText:
		return string(field.Data), false, true
	case pglogrepl.TupleDataTypeNull:
		return "", true, true
	default:
		return "", false, false
	}
}
