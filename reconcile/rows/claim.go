package rows

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// turns are rows of a table that are looked at in turn, each by one replica at a time.
type turns struct {
	what      string // for errors
	table     string
	key       []string // its primary key
	looked    string   // the column that says when a row was looked at
	among     string   // a condition on a row s; its parameters, and those of returning, begin at $3
	returning string   // of a row s
}

// claim takes rows that were not looked at for longest, and not within age: at most so many.
// What is claimed is this replica's to look at; the others pass over it until it is due again.
func claim[T any](ctx context.Context, db DB, t turns, age time.Duration, most int, args ...any) ([]T, error) {
	ctx, cancel := db.Within(ctx)
	defer cancel()
	var same []string
	for _, k := range t.key {
		same = append(same, "s."+k+" = c."+k)
	}
	rows, err := db.Query(ctx, `
UPDATE public.`+t.table+` s SET `+t.looked+` = now()
FROM (SELECT `+strings.Join(t.key, ", ")+` FROM public.`+t.table+` s
      WHERE `+cmp.Or(t.among, "true")+` AND (`+t.looked+` IS NULL OR `+t.looked+` < now() - $1 * interval '1 microsecond')
      ORDER BY `+t.looked+` NULLS FIRST LIMIT $2 FOR UPDATE SKIP LOCKED) c
WHERE `+strings.Join(same, " AND ")+`
RETURNING `+t.returning, append([]any{age.Microseconds(), most}, args...)...)
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", t.what, err)
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	if err != nil {
		return nil, fmt.Errorf("claim %s: %w", t.what, err)
	}
	return found, nil
}
