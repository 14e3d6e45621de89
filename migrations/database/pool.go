package database

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options of a pool.
type Options struct {
	// MaxConns is how many connections there are at most. 0 means 4.
	MaxConns int32
	// Name is what the server calls the connections.
	Name string
	// Renew may give each new connection the secrets of now; see Renewing. Nil: those of the
	// beginning stay.
	Renew func(*pgconn.Config)
	// Logger is told when a pooler was recognised. Nil discards.
	Logger *slog.Logger
}

// Pool is connections to one database. Its methods are pgxpool's, and may be called
// from any goroutine.
type Pool struct {
	pool  *pgxpool.Pool
	log   *slog.Logger
	renew func(*pgconn.Config) // may be nil
	// behind says what was found at the other end last.
	behind atomic.Int32
}

const (
	unknown int32 = iota
	server
	pooler
)

// ErrURL stands for pgx's own parse error, which quotes the URL and can't promise to
// find the password in one that is malformed.
var ErrURL = errors.New("not a valid PostgreSQL URL or connection string")

// errFoundPooler ends a connection that was made for a server. The next one is made
// for a pooler.
var errFoundPooler = errors.New("a pooler answers where a PostgreSQL server was expected")

// Open makes a pool. It doesn't connect.
func Open(ctx context.Context, url string, o Options) (*Pool, error) {
	c, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, ErrURL
	}
	if o.MaxConns > 0 {
		c.MaxConns = o.MaxConns
	}
	if o.Name != "" {
		c.ConnConfig.RuntimeParams["application_name"] = o.Name
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	Prepare(&c.ConnConfig.Config)
	p := &Pool{log: o.Logger, renew: o.Renew}
	c.BeforeConnect = p.choose
	c.AfterConnect = p.settle
	if p.pool, err = pgxpool.NewWithConfig(ctx, c); err != nil {
		return nil, fmt.Errorf("prepare the connections to the database: %w", err)
	}
	return p, nil
}

// choose picks the exec mode of a connection, which it has for life. So the first one
// of all finds out what is at the other end.
func (p *Pool) choose(ctx context.Context, c *pgx.ConnConfig) error {
	if p.renew != nil {
		p.renew(&c.Config)
	}
	if p.behind.Load() == unknown {
		conn, err := pgconn.ConnectConfig(ctx, c.Config.Copy())
		if err != nil {
			return err
		}
		pooled, err := Settle(ctx, conn)
		closeErr := conn.Close(ctx)
		if err := errors.Join(err, closeErr); err != nil {
			return err
		}
		p.found(pooled)
	}
	if p.pooled() {
		c.DefaultQueryExecMode = pooledMode(c.DefaultQueryExecMode)
	}
	return nil
}

// settle makes a new connection ready.
func (p *Pool) settle(ctx context.Context, conn *pgx.Conn) error {
	pooled, err := Settle(ctx, conn.PgConn())
	if err != nil {
		return err
	}
	before := p.pooled()
	p.found(pooled)
	mode := conn.Config().DefaultQueryExecMode
	if pooled && !before && pooledMode(mode) != mode {
		return errFoundPooler
	}
	return nil
}

func (p *Pool) found(pooled bool) {
	now := server
	if pooled {
		now = pooler
	}
	if before := p.behind.Swap(now); before == now {
		return
	}
	if pooled {
		p.log.Info("a pooler is between this service and PostgreSQL: prepared statements aren't used")
	}
}

func (p *Pool) pooled() bool { return p.behind.Load() == pooler }

// Close ends all connections, and waits until those in use are given back.
func (p *Pool) Close() { p.pool.Close() }

// Ping says whether the database answers.
func (p *Pool) Ping(ctx context.Context) error { return p.pool.Ping(ctx) }

// BeginTx begins a transaction. No isolation level means read committed.
func (p *Pool) BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error) {
	if o.IsoLevel == "" {
		o.IsoLevel = pgx.ReadCommitted
	}
	tx, err := p.pool.BeginTx(ctx, o)
	if err != nil || !p.pooled() {
		return tx, err
	}
	if _, err := tx.Exec(ctx, localSettings); err != nil {
		return nil, errors.Join(err, tx.Rollback(context.WithoutCancel(ctx)))
	}
	return tx, nil
}

// Conn is one connection of the pool, for whoever begins and ends transactions by
// their own statements, within a batch.
type Conn struct {
	*pgxpool.Conn
	pool *Pool
}

// Acquire takes a connection. It must be given back by Release.
func (p *Pool) Acquire(ctx context.Context) (*Conn, error) {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	return &Conn{Conn: conn, pool: p}, nil
}

// Begin queues the statements that begin a transaction; whoever calls it queues the end.
func (c *Conn) Begin(b *pgx.Batch, begin ...string) {
	for _, sql := range begin {
		b.Queue(sql)
	}
	if c.pool.pooled() {
		b.Queue(localSettings)
	}
}
