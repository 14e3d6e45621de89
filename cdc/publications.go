package cdc

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// published is one table of one publication, or a publication without tables.
type published struct {
	publication                      string
	insert, update, delete, truncate bool
	table                            string // empty if the publication has none
	columns                          []string
	filtered                         bool // rows are left out
}

// publicationsQuery is run on the replication connection, which knows only the
// simple protocol; names are quoted by quoteLiteral.
const publicationsQuery = `SELECT p.pubname, p.pubinsert, p.pubupdate, p.pubdelete, p.pubtruncate,
	coalesce(t.tablename, ''), coalesce(array_to_string(t.attnames, ','), ''), t.rowfilter IS NOT NULL
	FROM pg_catalog.pg_publication p LEFT JOIN pg_catalog.pg_publication_tables t USING (pubname)
	WHERE p.pubname IN (%s)`

// checkPublications makes sure that the publications carry what we follow. It has to
// come before the slot: a stream whose publication is made after its slot fails at
// the first change, and would go on failing.
//
// It has to be asked again and again while streaming: since PostgreSQL 18 a stream
// goes on without a publication that was dropped, and no version says anything of a
// table that was taken out of one.
func checkPublications(ctx context.Context, conn *pgconn.PgConn, names []string) error {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteLiteral(name)
	}
	rows, err := query(ctx, conn, fmt.Sprintf(publicationsQuery, strings.Join(quoted, ", ")))
	if err != nil {
		return fmt.Errorf("read publications: %w", err)
	}
	found := make([]published, len(rows))
	for i, row := range rows {
		found[i] = published{
			publication: row[0],
			insert:      row[1] == "t", update: row[2] == "t", delete: row[3] == "t", truncate: row[4] == "t",
			table: row[5], columns: strings.Split(row[6], ","), filtered: row[7] == "t",
		}
	}
	return publicationGap(names, found)
}

// publicationGap says what the publications lack, nil if nothing.
func publicationGap(names []string, found []published) error {
	for _, name := range names {
		if !slices.ContainsFunc(found, func(p published) bool { return p.publication == name }) {
			return because(ReasonPublication, "publication %q does not exist; run the migrations", name)
		}
	}
	var gaps []string
	for _, name := range contractTables() {
		t, _ := contractTable(name)
		if !slices.ContainsFunc(found, func(p published) bool { return p.table == name && p.carries(t) }) {
			gaps = append(gaps, name)
		}
	}
	if len(gaps) > 0 {
		return because(ReasonPublication, "publications %s lack columns, operations or all rows of %s; run the migrations, which put it right or say why they can't",
			strings.Join(names, ", "), strings.Join(gaps, ", "))
	}
	return nil
}

func (p published) carries(t table) bool {
	for _, column := range t.columns {
		if !slices.Contains(p.columns, column) {
			return false
		}
	}
	return p.insert && !p.filtered && (t.insertOnly || p.update && p.delete && p.truncate)
}

func quoteLiteral(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
func quoteName(s string) string    { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
