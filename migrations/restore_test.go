package migrations_test

import (
	"slices"
	"testing"

	"workflow-worker/migrations"
)

func TestRunPutsBackWhatWasDropped(t *testing.T) {
	t.Parallel()
	for _, dropped := range []string{
		`DROP PUBLICATION workflow_worker`,
		`DROP PUBLICATION workflow_worker_requests`,
		`DROP PUBLICATION workflow_worker, workflow_worker_requests`,
		`ALTER PUBLICATION workflow_worker DROP TABLE workflows`,
		`ALTER PUBLICATION workflow_worker SET (publish = 'insert')`,
		`ALTER PUBLICATION workflow_worker SET TABLE projects, workflows (id), workflow_compiled_code, components`,
		`DROP TABLE workflow_code_store, worker_events`,
		`DROP TABLE components CASCADE`,
	} {
		t.Run(dropped, func(t *testing.T) {
			t.Parallel()
			d := migratedSupabase(t)
			published := d.published()
			catalog := d.catalog()
			d.exec(dropped)
			log := newRecorder()
			for range 2 {
				if err := migrations.Run(t.Context(), d.url, log.logger()); err != nil {
					t.Fatal(err)
				}
			}
			if got := d.published(); !slices.Equal(got, published) {
				t.Errorf("published:\n%v\nwant:\n%v", got, published)
			}
			if !log.contains("WARN", "putting it back") {
				t.Errorf("nothing is said:\n%s", log)
			}
			for _, line := range difference(catalog, d.catalog()) {
				if line[0] == '-' && line[:9] != "- comment" { // whose ids are new
					t.Errorf("not put back: %s", line)
				}
			}
		})
	}
}

// The service's own role may not make publications; it runs all the same.
func TestRunWithoutTheRightSaysWhatItCannotPutBack(t *testing.T) {
	t.Parallel()
	d := migratedEmpty(t).withRole()
	d.exec(`DROP PUBLICATION workflow_worker`)
	log := newRecorder()
	if err := migrations.Run(t.Context(), d.as(serviceRole), log.logger()); err != nil {
		t.Fatal(err)
	}
	if !log.contains("WARN", "can't be put back") {
		t.Errorf("nothing is said:\n%s", log)
	}
}
