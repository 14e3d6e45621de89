package cdc_test

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// polls waits until the source polls for the reason, and goes on polling.
func polls(t *testing.T, r *recorder, reason string) {
	t.Helper()
	r.await(t, "polling because of "+reason, r.is(cdc.ModePolling+" "+reason+":"))
	r.forget()
	r.await(t, "three polls", func() bool { return r.polled() >= 3 })
}

func streams(t *testing.T, r *recorder, db database) {
	t.Helper()
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
	r.await(t, "a look at all after connecting", r.lookedAtAll("connected"))
	r.await(t, "hint", r.looked(db.project()))
}

func pollingConfig(t *testing.T, url string, r *recorder) cdc.Config {
	c := config(t, url, r)
	c.PollInterval = 20 * time.Millisecond
	return c
}

func TestPollsWithoutLogicalDecodingOrSlots(t *testing.T) {
	t.Parallel()
	p, url := server(t, map[string]string{"wal_level": "replica", "max_replication_slots": "0", "max_wal_senders": "2"})
	r := newRecorder()
	run(t, pollingConfig(t, url, r))
	polls(t, r, cdc.ReasonWALLevel)

	restart := func(change string) database {
		t.Helper()
		open(t, url).exec(`ALTER SYSTEM SET ` + change)
		r.forget() // what comes now comes from a new stream
		if err := p.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		return open(t, url)
	}
	restart(`wal_level = logical`)
	polls(t, r, cdc.ReasonNoSlot)
	streams(t, r, restart(`max_replication_slots = 1`))

	// A second one finds no slot.
	r2 := newRecorder()
	stop := run(t, pollingConfig(t, url, r2))
	polls(t, r2, cdc.ReasonNoSlot)
	stop()

	// Nor, without a sender, a connection.
	streams(t, r, restart(`max_wal_senders = 1`))
	r3 := newRecorder()
	run(t, pollingConfig(t, url, r3))
	polls(t, r3, cdc.ReasonNoSender)
}

func TestPollsWithoutTheRightToReplicate(t *testing.T) {
	t.Parallel()
	address := stacktest.MigratedDatabase(t)
	db := open(t, address)
	role := db.value(`SELECT 'cdc_' || replace(gen_random_uuid()::text, '-', '')`)
	db.exec(`CREATE ROLE ` + role + ` LOGIN PASSWORD 'secret'`)
	t.Cleanup(func() { // after everything that uses it has ended
		_, err := db.conn.Exec(context.Background(), `DROP OWNED BY `+role+`; DROP ROLE `+role, pgx.QueryExecModeSimpleProtocol)
		if err != nil {
			t.Error(err)
		}
	})
	db.exec(`GRANT SELECT ON workflows, workflow_live_code TO ` + role)

	r := newRecorder()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword(role, "secret")
	run(t, pollingConfig(t, u.String(), r))
	polls(t, r, cdc.ReasonNoRight)
	db.exec(`ALTER ROLE ` + role + ` REPLICATION`)
	streams(t, r, db)
}

func TestPollsUntilThePublicationIsThere(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	db.exec(`DROP PUBLICATION ` + migrations.Publication)
	r := newRecorder()
	run(t, pollingConfig(t, url, r))
	polls(t, r, cdc.ReasonPublication)
	db.exec(`CREATE PUBLICATION ` + migrations.Publication + ` FOR TABLE projects (id), workflows (id, project_id), workflow_compiled_code (id, workflow_id)`)
	r.await(t, "what is missing is named", func() bool { return contains(r.states[len(r.states)-1], "components") })
	db.exec(`ALTER PUBLICATION ` + migrations.Publication + ` ADD TABLE components (id, project_id)`)
	streams(t, r, db)

	db.exec(`DROP PUBLICATION ` + migrations.Publication)
	db.project() // the server notices at the next change
	polls(t, r, cdc.ReasonPublication)
}

func TestHealsOnTheTimerWhatTheStreamMissed(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	r := newRecorder()
	c := config(t, url, r)
	c.ResyncInterval = 20 * time.Millisecond
	follow(t, c, r)
	r.await(t, "three resyncs while streaming", func() bool { return len(r.changesOfAll()) >= 3 && r.changesOfAll()[0] == "resync" })
}

// TestFollowsWithTheRightsOfTheServicesRole uses the role as the migrations make it.
func TestFollowsWithTheRightsOfTheServicesRole(t *testing.T) {
	t.Parallel()
	_, address := server(t, nil)
	db := open(t, address)
	if _, err := db.conn.Exec(t.Context(), migrations.RoleSQL(), pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	r := newRecorder()
	follow(t, config(t, strings.Replace(address, "postgres@", "workflow_worker_service@", 1), r), r)
	p1, p2, p3 := db.project(), db.project(), db.project()
	db.code(db.workflow(p1))
	db.exec(`UPDATE components SET name = 'c' WHERE id = $1`, db.component(p2))
	shared := db.component("")
	db.exec(`INSERT INTO workflows (project_id, kebab_name, definition) VALUES ($1, 'a', $2)`, p3,
		fmt.Sprintf(`{"nodes": [{"data": {"componentId": %q}}]}`, shared))
	r.await(t, "hints", r.looked(p1, p2, p3))
	r.forget()
	db.exec(`UPDATE components SET name = 'd' WHERE id = $1`, shared)
	r.await(t, "the hint for who refers to a shared component", r.looked(p3))
	if len(r.changesOfAll()) > 0 {
		t.Errorf("all was looked at: %q; is there something the role may not read?", r.all)
	}
}
