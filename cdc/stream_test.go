package cdc_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
)

func contains(s, part string) bool { return strings.Contains(s, part) }

func TestStreamIsReplacedWhenItsBackendIsTerminated(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	follow(t, config(t, url, r), r)
	for range 3 {
		r.forget()
		db.exec(`SELECT pg_terminate_backend($1)`, db.sender())
		r.await(t, "a look at all after reconnecting", r.lookedAtAll("connected"))
		r.await(t, "streaming", r.is(cdc.ModeStreaming))
		r.await(t, "hint", r.looked(db.project()))
	}
}

func TestHintsSurviveTheLossOfTheReadConnection(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	follow(t, config(t, url, r), r)
	for range 3 {
		db.exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
			WHERE datname = current_database() AND application_name = 'workflow_worker_cdc' AND backend_type = 'client backend'`)
		r.await(t, "hint", r.looked(db.project()))
	}
}

func TestStreamComesBackWithTheServer(t *testing.T) {
	t.Parallel()
	p, url := server(t, nil)
	r := newRecorder()
	c := config(t, url, r)
	c.PollInterval = 20 * time.Millisecond
	follow(t, c, r)

	before := time.Now()
	if err := p.StopServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	// A reader that confirms late makes this wait for it, one that doesn't confirm
	// for as long as the server waits for its own senders.
	if took := time.Since(before); took > 10*time.Second {
		t.Errorf("a fast shutdown took %s while we were connected", took)
	} else {
		t.Logf("fast shutdown took %s", took)
	}
	r.await(t, "polling because the server is away", r.is(cdc.ModePolling+" "+cdc.ReasonUnavailable+":"))
	r.forget()
	r.await(t, "polls while it is away", func() bool { return r.polled() >= 3 })

	if err := p.StartServer(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
	r.await(t, "a look at all after reconnecting", r.lookedAtAll("connected"))
	r.await(t, "hint", r.looked(open(t, url).project()))
}

// TestStalledSenderIsGivenUp stops the process at the other end: no error shows
// anywhere, the kernel takes what we write and answers for its side.
func TestStalledSenderIsGivenUp(t *testing.T) {
	t.Parallel()
	const timeout = 2 * time.Second // the server's; we ask after a quarter of it
	_, url := server(t, map[string]string{"wal_sender_timeout": timeout.String()})
	db := open(t, url)
	r := newRecorder()
	follow(t, config(t, url, r), r)

	// Idle is not stalled: every ask is answered.
	r.note(func() { r.received = 0 })
	r.await(t, "answers on an idle stream", func() bool { return r.received >= 8 })
	r.note(func() {
		if len(r.states) != 2 {
			t.Errorf("states: %q", r.states)
		}
	})

	sender := db.sender()
	if err := syscall.Kill(sender, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(sender, syscall.SIGCONT) })
	stopped := time.Now()
	r.await(t, "given up as stalled", func() bool { return contains(strings.Join(r.states, "\n"), cdc.ModePolling+" "+cdc.ReasonStalled+":") })
	if took := time.Since(stopped); took > 15*timeout {
		t.Errorf("given up after %s", took)
	} else {
		t.Logf("given up after %s; three asks were due after %s", took, timeout)
	}
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
	r.await(t, "a look at all after reconnecting", r.lookedAtAll("connected"))
	r.await(t, "hint", r.looked(db.project()))
}

func TestConfirmedPositionKeepsUpWithOthersWrites(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	follow(t, config(t, url, r), r)
	db.exec(`CREATE TABLE unrelated (t text)`)
	for range 5 {
		db.exec(`INSERT INTO unrelated SELECT repeat(md5(n::text), 30) FROM generate_series(1, 2000) AS n`)
		position := db.value(`SELECT pg_current_wal_lsn()::text`)
		db.await("the slot's position is past the unrelated writes",
			`SELECT confirmed_flush_lsn >= $1::pg_lsn FROM pg_replication_slots WHERE database = current_database()`, position)
	}
	r.await(t, "a hint that comes after", r.looked(db.project()))
	r.note(func() {
		if len(r.projects) != 1 || len(r.changesOfAll()) > 0 {
			t.Errorf("hints for unrelated writes: %v %q", r.projects, r.all)
		}
	})
}

func TestLagIsMeasuredFromCommitToHint(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	r := newRecorder()
	run(t, config(t, url, r))
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
	before := time.Now()
	r.await(t, "hint", r.looked(db.project()))
	r.await(t, "lag", func() bool { return len(r.lags) == 1 })
	r.note(func() {
		if lag := r.lags[0]; lag <= 0 || lag > time.Since(before) {
			t.Errorf("lag %s", lag)
		}
	})
	r.await(t, "the hint is counted, and one for connecting", func() bool { return r.hints >= 2 })
}
