package cdc_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgxpool"

	"workflow-worker/cdc"
)

// TestEveryHintLeadsToAReadAsNewAsItsCommit has several writers commit as fast as
// they can, each transaction in a project of its own, and reads the row as soon as
// its project is named.
//
// Between a commit's arrival in the stream and its visibility lie microseconds, or
// the time that a busy machine takes to give its writer the processor back, or, here,
// a synchronous standby that confirms in bursts. Without the gate nearly all of the
// reads are stale.
func TestEveryHintLeadsToAReadAsNewAsItsCommit(t *testing.T) {
	t.Parallel()
	_, url := server(t, nil)
	db := open(t, url)
	const writers, commits = 16, 160

	db.exec(`INSERT INTO projects (name, task_queue_name) SELECT 'old', n::text FROM generate_series(1, $1) AS n`, writers*commits)
	db.exec(`INSERT INTO workflows (project_id, kebab_name) SELECT id, 'flow' FROM projects`)
	db.exec(`INSERT INTO workflow_compiled_code (workflow_id, version, workflow_code) SELECT id, '1', 'old' FROM workflows`)
	// Half of the transactions change the project itself; the code of the others has
	// to be traced to it.
	const read = `SELECT p.name = 'new' OR c.workflow_code = 'new' FROM projects p
		JOIN workflows w ON w.project_id = p.id JOIN workflow_compiled_code c ON c.workflow_id = w.id WHERE p.id = $1`
	rows, err := db.conn.Query(t.Context(), `SELECT id::text FROM projects`)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}

	reader, err := pgxpool.New(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	r := newRecorder()
	var reads, stale atomic.Int64
	r.onLook = func(id string) {
		var fresh bool
		if err := reader.QueryRow(context.Background(), read, id).Scan(&fresh); err != nil {
			t.Errorf("read %s: %v", id, err)
		}
		reads.Add(1)
		if !fresh {
			stale.Add(1)
		}
	}
	follow(t, config(t, url, r), r)

	standby(t, url, 20*time.Millisecond)
	setStandby(db, "slow")
	defer setStandby(db, "")
	var group sync.WaitGroup
	for w := range writers {
		mine := ids[w*commits : (w+1)*commits]
		group.Go(func() {
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(context.Background())
			for i, id := range mine {
				sql := `UPDATE projects SET name = 'new' WHERE id = $1`
				if i%2 == 1 {
					sql = `UPDATE workflow_compiled_code SET workflow_code = 'new' WHERE workflow_id = (SELECT id FROM workflows WHERE project_id = $1)`
				}
				if _, err := conn.Exec(t.Context(), sql, id); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	r.await(t, "a hint for every commit", r.looked(ids...))
	t.Logf("%d reads after %d commits, %d of them stale", reads.Load(), writers*commits, stale.Load())
	if stale.Load() > 0 {
		t.Errorf("%d of %d reads saw the old row", stale.Load(), reads.Load())
	}
}

// TestHintsWaitForVisibility makes visibility wait: for a synchronous standby that
// isn't there. The server is this test's own; its parts share it.
func TestHintsWaitForVisibility(t *testing.T) {
	t.Parallel()
	_, url := server(t, nil)
	db := open(t, url)
	absent := func(name string) { setStandby(db, name) }

	t.Run("hint comes when the standby has released the commit", func(t *testing.T) {
		r := newRecorder()
		seen := make(chan string, 100)
		reader := open(t, url)
		waits := db.project()
		r.onLook = func(id string) {
			if id == waits {
				seen <- reader.value(`SELECT name FROM projects WHERE id = $1`, id)
			}
		}
		stop := follow(t, config(t, url, r), r)
		defer stop()

		absent("absent")
		defer absent("")
		writer := commitAndWait(t, url, db, `UPDATE projects SET name = 'new' WHERE id = '`+waits+`'`)
		db.await("the stream has delivered the commit that waits",
			`SELECT count(*) > 0 FROM pg_stat_replication WHERE replay_lsn >= $1::pg_lsn`, db.value(`SELECT pg_current_wal_flush_lsn()::text`))
		other := db.project() // committed later, visible at once
		r.await(t, "the hint of a later commit", r.looked(other))
		r.note(func() {
			if r.projects[waits] > 0 {
				t.Errorf("hinted while readers see %q", reader.value(`SELECT name FROM projects WHERE id = $1`, waits))
			}
		})

		absent("")
		if err := <-writer; err != nil {
			t.Fatal(err)
		}
		r.await(t, "the hint of the commit that waited", r.looked(waits))
		if name := <-seen; name != "new" {
			t.Errorf("the hint led to %q", name)
		}
	})

	t.Run("commit before the slot, visible after it, is looked at again", func(t *testing.T) {
		// The slot's creation waits for transactions, and in its last step ignores
		// those that are younger. One of these commits now, and waits for the standby.
		r := newRecorder()
		waits := db.project()
		reader := open(t, url)
		var mu sync.Mutex // guards reader and read: polls come from another goroutine
		var read []string
		r.onAll = func(string) {
			mu.Lock()
			defer mu.Unlock()
			read = append(read, reader.value(`SELECT name FROM projects WHERE id = $1`, waits))
		}
		sawNew := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return slices.Contains(read, "new")
		}

		first, second := begun(t, url), begun(t, url)
		first.assignXID()
		stop := run(t, config(t, url, r))
		defer stop()
		waitsFor := func(d database) {
			t.Helper()
			db.await("the slot's creation waits", `SELECT count(*) > 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
				WHERE a.backend_type = 'walsender' AND NOT l.granted AND l.transactionid = $1::xid`, d.value(`SELECT pg_current_xact_id()::xid::text`))
		}
		waitsFor(first)
		second.assignXID()
		first.exec(`COMMIT`)
		waitsFor(second)
		absent("absent")
		defer absent("")
		writer := commitAndWait(t, url, db, `UPDATE projects SET name = 'new' WHERE id = '`+waits+`'`)
		second.exec(`COMMIT`)

		r.await(t, "streaming", r.is(cdc.ModeStreaming))
		r.await(t, "a look at all after connecting", r.lookedAtAll("connected"))
		if sawNew() {
			t.Fatal("the commit was visible at once: this test shows nothing")
		}
		absent("")
		if err := <-writer; err != nil {
			t.Fatal(err)
		}
		r.await(t, "a look at all that sees the commit", sawNew)
	})

	t.Run("polling serves while an open transaction holds up the slot", func(t *testing.T) {
		open := begun(t, url)
		open.assignXID()
		r := newRecorder()
		c := config(t, url, r)
		c.SlotPatience, c.PollInterval = 10*time.Millisecond, 20*time.Millisecond
		stop := run(t, c)
		defer stop()
		r.await(t, "polling", r.is(cdc.ModePolling+" "+cdc.ReasonOpenTransactions+":"))
		r.await(t, "who holds it up", r.says(fmt.Sprintf("now for session %d (database ", open.conn.PgConn().PID())))
		r.await(t, "three polls", func() bool { return r.polled() >= 3 })
		open.exec(`COMMIT`)
		r.await(t, "streaming", r.is(cdc.ModeStreaming))
		r.await(t, "a look at all after connecting", r.lookedAtAll("connected"))
		r.await(t, "hint", r.looked(db.project()))
	})

	t.Run("a transaction that was prepared is named, which belongs to no session", func(t *testing.T) {
		prepared := begun(t, url)
		prepared.assignXID()
		prepared.exec(`PREPARE TRANSACTION 'left behind'`)
		t.Cleanup(func() {
			if _, err := db.conn.Exec(context.Background(), `ROLLBACK PREPARED 'left behind'`); err != nil {
				t.Error(err)
			}
		})
		r := newRecorder()
		c := config(t, url, r)
		c.SlotPatience, c.PollInterval = 10*time.Millisecond, 20*time.Millisecond
		stop := run(t, c)
		defer stop()
		r.await(t, "what holds it up", r.says("now for transaction 'left behind', prepared in database "))
	})

	t.Run("slot's creation gives up a transaction that stays open, and tries again", func(t *testing.T) {
		open := begun(t, url)
		open.assignXID()
		r := newRecorder()
		c := config(t, url, r)
		c.SlotLockTimeout = 50 * time.Millisecond
		stop := run(t, c)
		defer stop()
		r.await(t, "lock timeout", func() bool {
			return r.is(cdc.ModePolling+" "+cdc.ReasonOpenTransactions+":")() && contains(r.states[len(r.states)-1], "55P03")
		})
		open.exec(`COMMIT`)
		r.await(t, "streaming", r.is(cdc.ModeStreaming))
	})

	t.Run("ending while the slot's creation waits leaves no slot", func(t *testing.T) {
		open := begun(t, url)
		open.assignXID()
		r := newRecorder()
		c := config(t, url, r)
		c.SlotPatience = 10 * time.Millisecond
		stop := run(t, c)
		r.await(t, "polling", r.is(cdc.ModePolling+" "+cdc.ReasonOpenTransactions+":"))
		stop()
		if !db.holds(noSlots) {
			t.Errorf("left: %s", db.value(`SELECT string_agg(s::text, ' ') FROM pg_replication_slots s`))
		}
	})
}

// setStandby says whom commits wait for, but for those of this session.
func setStandby(db database, name string) {
	db.t.Helper()
	db.exec(`SET synchronous_commit = local`)
	db.exec(`ALTER SYSTEM SET synchronous_standby_names = '` + name + `'`)
	db.exec(`SELECT pg_reload_conf()`)
	db.await("the setting is in force", `SELECT current_setting('synchronous_standby_names') = '`+name+`'`)
	db.exec(`CHECKPOINT`) // by the checkpointer, which has to read it before commits wait
}

// standby is a synchronous standby called slow: it receives the log and confirms all
// that came, at intervals, until the test ends.
func standby(t *testing.T, url string, interval time.Duration) {
	t.Helper()
	config, err := pgconn.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	config.RuntimeParams["replication"], config.RuntimeParams["application_name"] = "true", "slow"
	conn, err := pgconn.ConnectConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	system, err := pglogrepl.IdentifySystem(t.Context(), conn)
	if err != nil {
		t.Fatal(err)
	}
	_, err = pglogrepl.CreateReplicationSlot(t.Context(), conn, "slow", "", pglogrepl.CreateReplicationSlotOptions{Temporary: true, Mode: pglogrepl.PhysicalReplication})
	if err != nil {
		t.Fatal(err)
	}
	err = pglogrepl.StartReplication(t.Context(), conn, "slow", system.XLogPos, pglogrepl.StartReplicationOptions{Mode: pglogrepl.PhysicalReplication})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- confirm(ctx, conn, system.XLogPos, interval) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		_ = conn.Close(context.Background())
	})
}

func confirm(ctx context.Context, conn *pgconn.PgConn, position pglogrepl.LSN, interval time.Duration) error {
	for ctx.Err() == nil {
		until, cancel := context.WithTimeout(ctx, interval)
		for {
			message, err := conn.ReceiveMessage(until)
			if pgconn.Timeout(err) || ctx.Err() != nil {
				break
			}
			if err != nil {
				cancel()
				return err
			}
			if m, ok := message.(*pgproto3.CopyData); ok && m.Data[0] == pglogrepl.XLogDataByteID {
				log, err := pglogrepl.ParseXLogData(m.Data[1:])
				if err != nil {
					cancel()
					return err
				}
				position = max(position, log.WALStart+pglogrepl.LSN(len(log.WALData)))
			}
		}
		cancel()
		if err := pglogrepl.SendStandbyStatusUpdate(ctx, conn, pglogrepl.StandbyStatusUpdate{WALWritePosition: position}); err != nil {
			return err
		}
	}
	return nil
}

// begun is a connection with an open transaction, which ends with the test.
func begun(t *testing.T, url string) database {
	t.Helper()
	d := open(t, url)
	d.exec(`SET synchronous_commit = local`)
	d.exec(`BEGIN`)
	return d
}

// assignXID makes it one that slots wait for.
func (d database) assignXID() { d.t.Helper(); d.value(`SELECT pg_current_xact_id()::text`) }

// commitAndWait commits in another session and returns when that waits for the
// standby. The channel says when the commit returned.
func commitAndWait(t *testing.T, url string, db database, sql string) <-chan error {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		defer conn.Close(context.Background())
		_, err := conn.Exec(context.Background(), sql)
		done <- err
	}()
	db.await("the commit waits for the standby", fmt.Sprintf(`SELECT count(*) > 0 FROM pg_stat_activity WHERE pid = %d AND wait_event = 'SyncRep'`, conn.PgConn().PID()))
	return done
}
