package cdc

import (
	"slices"
	"strings"
	"testing"
)

func TestPublicationsMustCarryTheContract(t *testing.T) {
	t.Parallel()
	complete := func() []published {
		all := published{publication: "main", insert: true, update: true, delete: true, truncate: true}
		var rows []published
		for _, name := range contractTables() {
			t, _ := contractTable(name)
			row := all
			row.table, row.columns = name, t.columns
			if t.insertOnly {
				row.publication, row.update, row.delete, row.truncate = "requests", false, false, false
			}
			rows = append(rows, row)
		}
		return rows
	}
	at := func(rows []published, table string) *published {
		return &rows[slices.IndexFunc(rows, func(p published) bool { return p.table == table })]
	}
	for _, c := range []struct {
		name  string
		spoil func(rows []published) []published
		gap   string
	}{
		{"complete", func(rows []published) []published { return rows }, ""},
		{"more columns than needed", func(rows []published) []published {
			at(rows, "projects").columns = []string{"id", "name"}
			return rows
		}, ""},
		{"a publication is missing", func(rows []published) []published {
			return slices.DeleteFunc(rows, func(p published) bool { return p.publication == "requests" })
		}, `publication "requests" does not exist`},
		{"a publication without tables", func(rows []published) []published {
			*at(rows, "worker_requests") = published{publication: "requests", insert: true}
			return rows
		}, "all rows of worker_requests"},
		{"a table is missing", func(rows []published) []published {
			return slices.DeleteFunc(rows, func(p published) bool { return p.table == "components" })
		}, "all rows of components"},
		{"a column is missing", func(rows []published) []published {
			at(rows, "workflows").columns = []string{"id"}
			return rows
		}, "all rows of workflows"},
		{"rows are left out", func(rows []published) []published {
			at(rows, "worker_requests").filtered = true
			return rows
		}, "all rows of worker_requests"},
		{"deletes are left out", func(rows []published) []published {
			for i := range rows {
				rows[i].delete = false
			}
			return rows
		}, "all rows of projects, workflows, workflow_compiled_code, components"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			err := publicationGap([]string{"main", "requests"}, c.spoil(complete()))
			if c.gap == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.gap) {
				t.Fatalf("got %v, want %q", err, c.gap)
			}
			if name, _ := reasonOf(err); name != ReasonPublication {
				t.Errorf("reason %q", name)
			}
		})
	}
}
