package cdc

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

type nobody struct{}

func (nobody) LookAt(string, Commit) {}
func (nobody) LookAtAll(string)      {}

func TestNewNamesEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := New(Config{SlotPrefix: "Not-Allowed", PollInterval: -time.Second, RetryMin: time.Minute})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"DatabaseURL", "Publications", "Handler", "SlotPrefix", "PollInterval", "RetryMax"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q doesn't mention %s", err, want)
		}
	}
}

func TestNewNeverTellsAPassword(t *testing.T) {
	t.Parallel()
	good := "postgres://u:hunter2@localhost/db"
	for _, bad := range []string{
		"postgres://u:hunter2@localhost:port/db", "postgres://u:hunter2@[::1/db", "postgres://u:hun%ter2:hunter2@host/db",
		"host=localhost password=hunter2 port=none", "host=localhost password = 'hunter2' x", "u:hunter2@localhost/db",
		"postgres://u:hunter2@localhost/db?sslmode=hunter2",
	} {
		for _, c := range []Config{{DatabaseURL: bad}, {DatabaseURL: good, ReplicationURL: bad}} {
			c.Publications, c.Handler = []string{"p"}, nobody{}
			_, err := New(c)
			if err == nil {
				t.Errorf("%s accepted", bad)
			} else if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%s: %v", bad, err)
			}
		}
	}
}

func TestConnectionsGetTheirSettings(t *testing.T) {
	t.Parallel()
	c := Config{
		DatabaseURL: "postgres://u@pooler/db?replication=database", ReplicationURL: "postgres://u@direct/db?connect_timeout=3&application_name=mine",
		SlotLockTimeout: 1500 * time.Millisecond,
	}.withDefaults()
	read, err := c.readConfig()
	if err != nil {
		t.Fatal(err)
	}
	if p := read.RuntimeParams; len(p) != 1 || p["application_name"] != "workflow_worker_cdc" {
		t.Errorf("read: %v", p)
	}
	if read.ConnectTimeout != 10*time.Second {
		t.Errorf("read: connect timeout %s", read.ConnectTimeout)
	}
	stream, err := c.replicationConfig()
	if err != nil {
		t.Fatal(err)
	}
	if p := stream.RuntimeParams; p["replication"] != "database" || p["lock_timeout"] != "1500" || p["application_name"] != "mine" {
		t.Errorf("stream: %v", p)
	}
	if stream.Host != "direct" || stream.ConnectTimeout != 3*time.Second {
		t.Errorf("stream: %s, connect timeout %s", stream.Host, stream.ConnectTimeout)
	}
}

func TestFailureHasAReasonWithANextStep(t *testing.T) {
	t.Parallel()
	refusal := func(code, message string) error {
		return fmt.Errorf("create slot: %w", &pgconn.PgError{Severity: "FATAL", Code: code, Message: message})
	}
	for _, c := range []struct {
		err        error
		name, text string
	}{
		{server{version: 140005}.check(), ReasonServerVersion, "PostgreSQL 15"},
		{server{version: 150005, walLevel: "replica"}.check(), ReasonWALLevel, "set it to logical"},
		{server{version: 150005, walLevel: "logical", standby: true}.check(), ReasonStandby, "primary"},
		{refusal("55000", "replication slots can only be used if max_replication_slots > 0"), ReasonNoSlot, "max_replication_slots"},
		{refusal("42501", "must be superuser or replication role to start walsender"), ReasonNoRight, "REPLICATION"},
		{refusal("53400", "all replication slots are in use"), ReasonNoSlot, "max_replication_slots"},
		{refusal("53300", "number of requested standby connections exceeds max_wal_senders"), ReasonNoSender, "max_wal_senders"},
		{refusal("08P01", "unsupported startup parameter: replication"), ReasonPooler, "directly"},
		{refusal("55P03", "canceling statement due to lock timeout"), ReasonOpenTransactions, "open transactions"},
		{refusal("42704", `publication "x" does not exist`), ReasonPublication, "migrations"},
		{refusal("28P01", "password authentication failed"), ReasonRefused, "authentication"},
		{refusal("57P03", "the database system is starting up"), ReasonUnavailable, "starting up"},
		{refusal("XX000", "bug"), ReasonEnded, "bug"},
		{errStalled, ReasonStalled, "3 asks"},
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, ReasonUnavailable, "refused"},
		{because(ReasonEnded, "stream ended by %T", 1), ReasonEnded, "stream ended"},
	} {
		name, text := reasonOf(c.err)
		if name != c.name || !strings.Contains(text, c.text) {
			t.Errorf("%v: %s, %q; want %s, …%q…", c.err, name, text, c.name, c.text)
		}
	}
}

func TestPingsAreAQuarterOfTheServersPatience(t *testing.T) {
	t.Parallel()
	const longest = 15 * time.Second
	for timeout, want := range map[time.Duration]time.Duration{
		0: longest, time.Minute: longest, 20 * time.Second: 5 * time.Second, time.Hour: longest, time.Millisecond: 10 * time.Millisecond,
	} {
		if got := (server{senderTimeout: timeout}).pingInterval(longest); got != want {
			t.Errorf("wal_sender_timeout %s: %s, want %s", timeout, got, want)
		}
	}
}

func TestRetryDelaysGrowToTheirBoundAndStartAgain(t *testing.T) {
	t.Parallel()
	b := backoff{min: 100 * time.Millisecond, max: time.Second}
	for _, milliseconds := range []int{100, 200, 400, 800, 1000, 1000} {
		want := time.Duration(milliseconds) * time.Millisecond
		if got := b.next(); got < want/2 || got > want {
			t.Errorf("delay %s, want %s to %s", got, want/2, want)
		}
	}
	b.reset()
	if got := b.next(); got > 100*time.Millisecond {
		t.Errorf("after reset %s", got)
	}
}
