package cdc

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// Handler is told what to look at. Its methods are called from several goroutines
// and must return at once: the next hint waits for them.
type Handler interface {
	// LookAt says that something about the project changed. The id is what a row
	// named; a project of that id need not exist (any more). c is the commit of the
	// oldest of the changes.
	LookAt(projectID string, c Commit)
	// LookAtAll says that anything may have changed: every project in the database,
	// and every one known to run. The reason is for logs and metrics.
	LookAtAll(reason string)
}

// Commit is a transaction's. It is zero where nobody knows.
type Commit struct {
	// At is by this process's clock.
	At time.Time
	// LSN is where it is in PostgreSQL's log.
	LSN pglogrepl.LSN
}

// Messages is told of the messages that a transaction wrote into the log beside its rows
// (pg_logical_emit_message), under the prefix of [MessagePrefix]. Its method is called
// from one goroutine and must return at once.
type Messages interface {
	// Told passes on a message, once for all of the same content that became visible
	// together. committed is as [Commit.At].
	Told(content string, committed time.Time)
}

// MessagePrefix is that of the messages that are passed on.
const MessagePrefix = "workflow_worker"

// Observer is told how change capture is doing. Its methods are called from several
// goroutines and must be cheap and never block.
type Observer interface {
	// StreamState says that the mode or its reason changed. The mode is
	// [ModeConnecting], [ModeStreaming] or [ModePolling]. The reason is empty unless
	// polling; then it is "name: text", the name one of the Reason constants.
	StreamState(mode, reason string)
	// StreamReceived says when the last message of the stream came.
	StreamReceived(at time.Time)
	// StreamLag is the time from a transaction's commit to its hints' delivery.
	StreamLag(d time.Duration)
	// HintDelivered counts hints, LookAt and LookAtAll alike, that a transaction or a
	// new stream caused. Timed ones (resync, polling) don't count.
	HintDelivered(n int)
}

// Config says what to follow and how patiently. Only DatabaseURL, Publications and
// Handler are required.
type Config struct {
	// DatabaseURL is where rows are read: visibility and keys. A transaction pooler
	// will do. It must lead to the server whose rows the Handler reads.
	DatabaseURL string
	// ReplicationURL is a direct connection to the same database, for the stream.
	// Empty means DatabaseURL.
	ReplicationURL string
	// Publications to follow. Together they must carry the contract's tables.
	Publications []string
	// SlotPrefix begins the names of the temporary slots; lower-case letters, digits
	// and underscores, at most 40. Empty means "workflow_worker".
	SlotPrefix string

	// ResyncInterval is the time between two looks at everything. 0 means 30 s.
	ResyncInterval time.Duration
	// PollInterval is the same while there is no stream. 0 means 3 s.
	PollInterval time.Duration

	// ConnectTimeout bounds an attempt to connect, unless the URL has a
	// connect_timeout. 0 means 10 s.
	ConnectTimeout time.Duration
	// LookTimeout bounds one read of visibility and keys. 0 means 5 s.
	LookTimeout time.Duration
	// SlotLockTimeout bounds each wait of the slot's creation for another session's
	// open transaction. A short one never gets a slot on a database that always has
	// a longer transaction open. 0 means 30 s.
	SlotLockTimeout time.Duration
	// SlotPatience is how long the slot's creation may take before the Source says
	// that it polls meanwhile. 0 means 1 s.
	SlotPatience time.Duration
	// PingInterval is the longest silence before the server is asked for a reply; a
	// quarter of its wal_sender_timeout if that is shorter. After three asks without
	// a byte in return the connection is dropped. 0 means 15 s.
	PingInterval time.Duration
	// RetryMin and RetryMax bound the growing delay between attempts to stream, of
	// which up to a half is left to chance. 0 means 200 ms and 10 s.
	RetryMin, RetryMax time.Duration
	// MaxWaiting bounds the memory for transactions that aren't visible yet, in
	// transactions plus keys. Beyond it they are forgotten one by one, and all is
	// looked at when they become visible. 0 means 20,000.
	MaxWaiting int

	// Renew may give each new connection the secrets of now. Nil: those of the beginning
	// stay. replication says for which of the two URLs.
	Renew func(c *pgconn.Config, replication bool)

	// Logger receives one line per change of state. Nil discards.
	Logger *slog.Logger
	// Handler is told what to look at.
	Handler Handler
	// Messages may be nil.
	Messages Messages
	// Observer may be nil.
	Observer Observer
}

// DefaultResyncInterval is that of Config.ResyncInterval.
const DefaultResyncInterval = 30 * time.Second

func (c Config) withDefaults() Config {
	c.ReplicationURL = cmp.Or(c.ReplicationURL, c.DatabaseURL)
	c.SlotPrefix = cmp.Or(c.SlotPrefix, "workflow_worker")
	c.ResyncInterval = cmp.Or(c.ResyncInterval, DefaultResyncInterval)
	c.PollInterval = cmp.Or(c.PollInterval, 3*time.Second)
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 10*time.Second)
	c.LookTimeout = cmp.Or(c.LookTimeout, 5*time.Second)
	c.SlotLockTimeout = cmp.Or(c.SlotLockTimeout, 30*time.Second)
	c.SlotPatience = cmp.Or(c.SlotPatience, time.Second)
	c.PingInterval = cmp.Or(c.PingInterval, 15*time.Second)
	c.RetryMin = cmp.Or(c.RetryMin, 200*time.Millisecond)
	c.RetryMax = cmp.Or(c.RetryMax, 10*time.Second)
	c.MaxWaiting = cmp.Or(c.MaxWaiting, 20_000)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Messages == nil {
		c.Messages = noMessages{}
	}
	if c.Observer == nil {
		c.Observer = noObserver{}
	}
	if c.Renew == nil {
		c.Renew = func(*pgconn.Config, bool) {}
	}
	return c
}

// slotPrefix leaves 63 - 40 bytes of a slot's name to the random end. PostgreSQL
// allows nothing but these characters, so names need no quoting.
var slotPrefix = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

func (c Config) validate() error {
	var errs []error
	if c.DatabaseURL == "" {
		errs = append(errs, errors.New("DatabaseURL is empty"))
	}
	if len(c.Publications) == 0 {
		errs = append(errs, errors.New("Publications is empty"))
	}
	if c.Handler == nil {
		errs = append(errs, errors.New("Handler is nil"))
	}
	if !slotPrefix.MatchString(c.SlotPrefix) {
		errs = append(errs, fmt.Errorf("SlotPrefix %q must match %s", c.SlotPrefix, slotPrefix))
	}
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"ResyncInterval", c.ResyncInterval}, {"PollInterval", c.PollInterval}, {"ConnectTimeout", c.ConnectTimeout},
		{"LookTimeout", c.LookTimeout}, {"SlotLockTimeout", c.SlotLockTimeout}, {"SlotPatience", c.SlotPatience},
		{"PingInterval", c.PingInterval}, {"RetryMin", c.RetryMin}, {"RetryMax", c.RetryMax},
	} {
		if d.value < 0 {
			errs = append(errs, fmt.Errorf("%s is negative: %s", d.name, d.value))
		}
	}
	if c.RetryMax < c.RetryMin {
		errs = append(errs, fmt.Errorf("RetryMax %s is below RetryMin %s", c.RetryMax, c.RetryMin))
	}
	if c.MaxWaiting < 0 {
		errs = append(errs, fmt.Errorf("MaxWaiting is negative: %d", c.MaxWaiting))
	}
	return errors.Join(errs...)
}

// errURL stands for pgx's own parse error, which quotes the URL and can't promise to
// find the password in one that is malformed.
var errURL = errors.New("not a valid PostgreSQL URL or connection string")

// readConfig is for the connection that reads visibility and keys. It is kept to
// what a transaction pooler lets through: no prepared statements, no settings beyond
// the application's name.
func (c Config) readConfig() (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(c.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("DatabaseURL: %w", errURL)
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	c.prepare(&config.Config)
	delete(config.RuntimeParams, "replication")
	return config, nil
}

// replicationConfig is for the stream. lock_timeout has to be there from the start:
// it is what bounds the slot's creation, and statement_timeout does not.
func (c Config) replicationConfig() (*pgconn.Config, error) {
	config, err := pgconn.ParseConfig(c.ReplicationURL)
	if err != nil {
		return nil, fmt.Errorf("ReplicationURL: %w", errURL)
	}
	c.prepare(config)
	for _, name := range []string{"default_query_exec_mode", "statement_cache_capacity", "description_cache_capacity"} {
		delete(config.RuntimeParams, name) // pgx's own, and a URL serves pgx as well
	}
	config.RuntimeParams["replication"] = "database"
	config.RuntimeParams["lock_timeout"] = fmt.Sprint(c.SlotLockTimeout.Milliseconds())
	return config, nil
}

func (c Config) prepare(config *pgconn.Config) {
	config.ConnectTimeout = cmp.Or(config.ConnectTimeout, c.ConnectTimeout)
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = c.SlotPrefix + "_cdc"
	}
	config.DialFunc = dialer().DialContext
}

type noMessages struct{}

func (noMessages) Told(string, time.Time) {}

type noObserver struct{}

func (noObserver) StreamState(string, string) {}
func (noObserver) StreamReceived(time.Time)   {}
func (noObserver) StreamLag(time.Duration)    {}
func (noObserver) HintDelivered(int)          {}
