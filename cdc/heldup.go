package cdc

import (
	"context"
	"fmt"
	"strings"
)

// holdersQuery asks what the session waits for: a transaction of another session, of any database,
// or one that was prepared, which belongs to no session and has 0 for its process. A role that may
// not see others' sessions sees their numbers.
const holdersQuery = `SELECT CASE WHEN holder.pid = 0 THEN (
		SELECT pg_catalog.format('transaction %%L, prepared in database %%I at %%s', x.gid, x.database, pg_catalog.date_trunc('second', x.prepared))
		FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_prepared_xacts x ON x.transaction = l.transactionid
		WHERE l.pid = %[1]d AND NOT l.granted LIMIT 1)
	ELSE (
		SELECT pg_catalog.format('session %%s', a.pid) || coalesce(' (' || nullif(pg_catalog.concat_ws(', ',
			'database ' || a.datname, nullif(a.application_name, ''), 'transaction open since ' || pg_catalog.date_trunc('second', a.xact_start)), '') || ')', '')
		FROM pg_catalog.pg_stat_activity a WHERE a.pid = holder.pid)
	END
FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids(%[1]d)) AS holder (pid)`

// heldUp says what the creation of a slot waits for, which the server's process makes. That is one
// transaction at a time, of those that were open when it began.
func (s *Source) heldUp(ctx context.Context, process uint32) string {
	const waits = "the slot's creation waits for other sessions' open transactions to end"
	ctx, cancel := context.WithTimeout(ctx, s.config.LookTimeout)
	defer cancel()
	holders, err := s.holders(ctx, process)
	switch {
	case err != nil:
		return fmt.Sprintf("%s; which they are can't be asked: %v", waits, err)
	case len(holders) == 0: // it has ended, or a pooler has given the process another number
		return waits
	}
	return waits + ", now for " + strings.Join(holders, ", ")
}

func (s *Source) holders(ctx context.Context, process uint32) (list []string, err error) {
	r := reader{config: s.gate.reader.config, renew: s.config.Renew}
	defer r.close()
	if err := r.connect(ctx); err != nil {
		return nil, err
	}
	rows, err := query(ctx, r.conn.PgConn(), fmt.Sprintf(holdersQuery, process))
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		if row[0] != "" { // not one that has ended in between
			list = append(list, row[0])
		}
	}
	return list, nil
}
