package cdc_test

import (
	"testing"
	"time"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

// PostgreSQL 15 ends a stream whose publication is gone at the next change; 18 goes on
// without it; neither says anything of a table that is taken out.
func TestAPublicationThatIsDroppedUnderTheStreamIsNoticed(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"this machine's", "18"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			start := stacktest.Postgres
			if version == "18" {
				start = stacktest.Postgres18
			}
			url := start(t, stack.PostgresOptions{}).URL("postgres")
			migrate := func() {
				t.Helper()
				if err := migrations.Run(t.Context(), url, stacktest.Logger(t)); err != nil {
					t.Fatal(err)
				}
			}
			migrate()
			db := open(t, url)
			r := newRecorder()
			c := config(t, url, r)
			c.PollInterval, c.ResyncInterval = time.Second, time.Hour // nothing else finds it
			follow(t, c, r)
			for _, dropped := range []string{
				`DROP PUBLICATION workflow_worker`,
				`DROP PUBLICATION workflow_worker_requests`,
				`ALTER PUBLICATION workflow_worker DROP TABLE projects`,
				`ALTER PUBLICATION workflow_worker SET (publish = 'insert')`,
			} {
				r.await(t, "a hint", r.looked(db.project()))
				db.exec(dropped)
				began := time.Now()
				db.project()
				r.await(t, "polling for want of a publication after "+dropped, r.is(cdc.ModePolling+" "+cdc.ReasonPublication+":"))
				r.await(t, "a look at all", func() bool { return r.polled() > 0 })
				t.Logf("%s: noticed after %s", dropped, time.Since(began))
				r.forget()
				migrate() // which puts it back
				r.await(t, "streaming", r.is(cdc.ModeStreaming))
				r.await(t, "a look at all after connecting", r.lookedAtAll("connected"))
				r.forget()
			}
		})
	}
}
