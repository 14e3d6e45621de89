package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"go.temporal.io/sdk/client"

	"workflow-worker/cdc"
	"workflow-worker/migrations/database"
	"workflow-worker/runtime/encryption"
)

// Patient is a service as it would run. What it is made of is looked at, never changed.
type Patient struct {
	// SettingsError names the mistakes in the settings; nil for none. DatabaseError and TemporalError
	// name those about how to reach them: what mistakes elsewhere don't spoil is looked at all the
	// same.
	SettingsError, DatabaseError, TemporalError error
	// DatabaseURL is where the rows are, ReplicationURL where the stream would come from.
	DatabaseURL, ReplicationURL string
	// Separate says that the second was given by itself.
	Separate     bool
	Publications []string
	ModulesDir   string
	// ProjectReplicas is on how many replicas a project runs; 0: on all.
	ProjectReplicas int
	// CodeRetention is how long after its end an execution finds its code.
	CodeRetention time.Duration
	// MemoryLimit is how much this process may use, in bytes.
	MemoryLimit int64
	// Temporal is how to reach it.
	Temporal client.Options
	// Payloads encrypts and decrypts them; nil if nothing does. CodecURL is that of a codec server, ""
	// if it is none.
	Payloads *encryption.Connection
	CodecURL string
	// Traces asks whether their receiver, at the address, takes them; nil if there is none.
	Traces         func(context.Context) error
	TracesEndpoint string
	// Secrets aren't to be shown.
	Secrets []string
	// CheckTimeout bounds one check. Default: 10 s.
	CheckTimeout time.Duration
	// Now is the clock.
	Now func() time.Time

	conn     *pgx.Conn
	pooled   bool
	temporal client.Client
	counted  bool // what follows is known
	projects int
	queue    string // of one project
}

func (p *Patient) close() {
	if p.conn != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = p.conn.Close(ctx) // it was only asked
	}
	if p.temporal != nil {
		p.temporal.Close()
	}
}

// discreet takes out what isn't to be shown.
func (p *Patient) discreet(text string) string {
	for _, s := range p.Secrets {
		if len(s) > 3 {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	return text
}

// db is the connection that the checks of the database share. One that was cut off with the check
// that took too long is made anew.
func (p *Patient) db(ctx context.Context) (*pgx.Conn, error) {
	if p.conn != nil && !p.conn.IsClosed() {
		return p.conn, nil
	}
	config, err := pgx.ParseConfig(p.DatabaseURL)
	if err != nil {
		return nil, database.ErrURL
	}
	database.Prepare(&config.Config)
	config.DefaultQueryExecMode = pgx.QueryExecModeExec
	config.RuntimeParams["application_name"] = "workflow-worker doctor"
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	p.conn = conn
	p.pooled, err = database.Settle(ctx, conn.PgConn())
	return conn, err
}

// problems runs a statement whose rows are problems and what mends them.
func (p *Patient) problems(ctx context.Context, sql string, args ...any) ([]Problem, error) {
	db, err := p.db(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := db.Query(ctx, sql, args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (x Problem, err error) {
		err = row.Scan(&x.Text, &x.Mend)
		return x, err
	})
}

// stream asks change capture what keeps it from streaming, by reason.
func (p *Patient) stream(ctx context.Context, reasons ...string) ([]Problem, error) {
	found, err := cdc.Examine(ctx, cdc.Config{DatabaseURL: p.DatabaseURL, ReplicationURL: p.ReplicationURL, Publications: p.Publications})
	var out []Problem
	for _, o := range found {
		for _, r := range reasons {
			if o.Reason == r {
				out = append(out, Problem{Text: o.Text})
			}
		}
	}
	return out, err
}

// expiring says which certificates of a chain end soon, or have ended.
func (p *Patient) expiring(whose string, chain []*x509.Certificate) (out []Problem) {
	const soon = 21 * 24 * time.Hour
	for _, c := range chain {
		left := c.NotAfter.Sub(p.Now())
		switch {
		case left <= 0:
			out = append(out, Problem{fmt.Sprintf("%s: the certificate of %q ended on %s", whose, c.Subject.CommonName, c.NotAfter.UTC().Format(time.DateOnly)), "renew it"})
		case left < soon:
			out = append(out, Problem{fmt.Sprintf("%s: the certificate of %q ends on %s, in %d days", whose, c.Subject.CommonName, c.NotAfter.UTC().Format(time.DateOnly), int(left.Hours()/24)), "renew it"})
		}
	}
	return out
}

// sslMode is what a URL asks for.
func sslMode(url string) string {
	_, query, _ := strings.Cut(url, "?")
	for part := range strings.SplitSeq(query, "&") {
		if value, ok := strings.CutPrefix(part, "sslmode="); ok {
			return value
		}
	}
	return ""
}

// isLocal says whether a connection doesn't leave the machine.
func isLocal(c *pgconn.Config) bool {
	return strings.HasPrefix(c.Host, "/") || c.Host == "localhost" || strings.HasPrefix(c.Host, "127.") || c.Host == "::1"
}
