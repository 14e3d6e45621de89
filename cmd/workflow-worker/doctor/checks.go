package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"workflow-worker/cdc"
	"workflow-worker/metrics"
	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile/rows"
)

// checks are all, in order: each group on what the one before found.
var checks = []check{
	{"settings.valid", "the settings can be read", Fatal, "", (*Patient).settingsValid},
	{"settings.modules", "MODULES_DIR holds npm packages", Warning, "", (*Patient).modules},
	{"database.reachable", "the database answers", Fatal, "", (*Patient).databaseReachable},
	{"database.version", "PostgreSQL is new enough", Fatal, "database.reachable", (*Patient).databaseVersion},
	{"database.primary", "it can be written to", Fatal, "database.reachable", (*Patient).databasePrimary},
	{"database.pooler", "no pooler is in the stream's way", Warning, "database.reachable", (*Patient).databasePooler},
	{"database.clock", "its clock and ours agree", Warning, "database.reachable", (*Patient).databaseClock},
	{"schema.migrated", "all migrations were applied", Fatal, "database.reachable", (*Patient).schemaMigrated},
	{"schema.known", "this binary knows the schema", Warning, "database.reachable", (*Patient).schemaKnown},
	{"rights.tables", "the role may do what the service does", Fatal, "schema.migrated", (*Patient).rightsTables},
	{"rights.policies", "row level security lets the role see all rows", Fatal, "schema.migrated", (*Patient).rightsPolicies},
	{"stream.wal_level", "wal_level is logical", Warning, "database.reachable", (*Patient).streamWALLevel},
	{"stream.connection", "a replication connection can be made", Warning, "database.reachable", (*Patient).streamConnection},
	{"stream.room", "slots and senders are free", Warning, "database.reachable", (*Patient).streamRoom},
	{"stream.slots", "slots and senders suffice for an upgrade, and none fills the disk", Warning, "database.reachable", (*Patient).streamSlots},
	{"stream.open_transactions", "no transaction is open for long", Warning, "database.reachable", (*Patient).streamOpenTransactions},
	{"stream.publications", "the publications carry what is followed", Warning, "schema.migrated", (*Patient).streamPublications},
	{"stream.identities", "no published column list stops UPDATEs", Fatal, "database.reachable", (*Patient).streamIdentities},
	{"temporal.reachable", "Temporal answers", Fatal, "", (*Patient).temporalReachable},
	{"temporal.namespace", "the namespace is there and lets us in", Fatal, "temporal.reachable", (*Patient).temporalNamespace},
	{"temporal.executions", "what is behind Temporal's frontend answers", Fatal, "temporal.namespace", (*Patient).temporalExecutions},
	{"temporal.retention", "code is kept as long as executions", Warning, "temporal.namespace", (*Patient).temporalRetention},
	{"payloads.codec", "payloads can be encrypted and decrypted", Fatal, "settings.valid", (*Patient).payloadsCodec},
	{"payloads.hidden", "nobody on the way can read them", Warning, "payloads.codec", (*Patient).payloadsHidden},
	{"scale.polls", "the namespace allows the polls of all projects", Warning, "rights.tables", (*Patient).scalePolls},
	{"scale.partitions", "task queues have one partition", Warning, "temporal.namespace", (*Patient).scalePartitions},
	{"scale.memory", "there is memory for all projects", Warning, "rights.tables", (*Patient).scaleMemory},
	{"tls.database", "the connection to the database is verified and its certificates last", Warning, "database.reachable", (*Patient).tlsDatabase},
	{"tls.temporal", "the certificates of Temporal last", Warning, "temporal.reachable", (*Patient).tlsTemporal},
	{"traces.receiver", "the receiver of traces takes them", Warning, "settings.valid", (*Patient).tracesReceiver},
}

func (p *Patient) settingsValid(context.Context) (out []Problem, _ error) {
	if p.SettingsError == nil {
		return nil, nil
	}
	for line := range strings.SplitSeq(p.SettingsError.Error(), "\n") {
		if line != "the settings are wrong:" {
			out = append(out, Problem{line, "set it as cmd/workflow-worker/README.md says"})
		}
	}
	return out, nil
}

func (p *Patient) modules(context.Context) ([]Problem, error) {
	if p.ModulesDir == "" {
		return nil, errNothing("MODULES_DIR is not set")
	}
	dir := p.ModulesDir
	if within := filepath.Join(dir, "node_modules"); isFolder(within) {
		dir = within
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return []Problem{{err.Error(), "let the service's user read it"}}, nil //nolint:nilerr // it is what the check found
	}
	for _, e := range entries {
		if _, err := os.Stat(filepath.Join(dir, e.Name(), "package.json")); err == nil || strings.HasPrefix(e.Name(), "@") {
			return nil, nil
		}
	}
	return []Problem{{dir + " has no npm package", "npm ci --prefix " + p.ModulesDir}}, nil
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

func (p *Patient) databaseReachable(ctx context.Context) ([]Problem, error) {
	if p.DatabaseError != nil {
		return nil, errNothing("the settings about it are wrong")
	}
	if _, err := p.db(ctx); err != nil {
		return []Problem{{err.Error(), p.mendOfDatabase(err)}}, nil
	}
	return nil, nil
}

func (p *Patient) databaseVersion(ctx context.Context) ([]Problem, error) {
	return p.problems(ctx, `SELECT pg_catalog.format('it is PostgreSQL %s, and 15 is needed', current_setting('server_version')), 'upgrade PostgreSQL'
WHERE current_setting('server_version_num')::int < 150000`)
}

func (p *Patient) databasePrimary(ctx context.Context) ([]Problem, error) {
	return p.problems(ctx, `SELECT 'this server is a read-only standby', 'let DATABASE_URL lead to the primary' WHERE pg_catalog.pg_is_in_recovery()
UNION ALL SELECT 'transactions are read-only by default', pg_catalog.format('ALTER ROLE %I RESET default_transaction_read_only   -- or ALTER DATABASE, where that sets it', session_user)
WHERE current_setting('transaction_read_only') = 'on' AND NOT pg_catalog.pg_is_in_recovery()`)
}

func (p *Patient) databasePooler(ctx context.Context) ([]Problem, error) {
	if !p.pooled {
		return nil, nil
	}
	if p.Separate {
		return nil, nil // the stream goes another way, which stream.connection looks at
	}
	return []Problem{{fmt.Sprintf("a pooler in %s mode answers; the stream can't go through one, and changes are found by polling", p.poolMode(ctx)), "set REPLICATION_DATABASE_URL to a direct connection"}}, nil
}

// poolMode finds out when a pooler gives a server connection to somebody else: after a statement,
// in transaction mode, its next client has it.
func (p *Patient) poolMode(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	const pid = `SELECT pg_catalog.pg_backend_pid()`
	var first, second int
	db, err := p.db(ctx)
	if err != nil {
		return "an unknown"
	}
	if err := db.QueryRow(ctx, pid).Scan(&first); err != nil {
		return "an unknown"
	}
	other, err := pgx.ConnectConfig(ctx, db.Config().Copy())
	if err != nil {
		return "an unknown"
	}
	defer func() { _ = other.Close(ctx) }() // it was only asked
	if err := other.QueryRow(ctx, pid).Scan(&second); err != nil {
		return "session" // there is none for a second client
	}
	if first == second {
		return "transaction"
	}
	return "session"
}

func (p *Patient) databaseClock(ctx context.Context) ([]Problem, error) {
	db, err := p.db(ctx)
	if err != nil {
		return nil, err
	}
	before := p.Now()
	var theirs time.Time
	if err := db.QueryRow(ctx, `SELECT pg_catalog.clock_timestamp()`).Scan(&theirs); err != nil {
		return nil, err
	}
	after := p.Now()
	ours := before.Add(after.Sub(before) / 2)
	const most = 2 * time.Second
	if apart := theirs.Sub(ours).Abs() - after.Sub(before)/2; apart > most {
		return []Problem{{fmt.Sprintf("its clock and this machine's are %s apart", apart.Round(100*time.Millisecond)), "let both follow NTP"}}, nil
	}
	return nil, nil
}

func (p *Patient) schemaMigrated(ctx context.Context) ([]Problem, error) {
	found, err := migrations.Look(ctx, p.DatabaseURL)
	var barred *migrations.BarredError
	switch {
	case errors.As(err, &barred):
		return []Problem{{err.Error(), rightsMend}}, nil
	case err != nil:
		return nil, err
	}
	const mend = "workflow-worker migrate   # as the owner of the tables, then: workflow-worker role"
	switch pending := found.Pending(); {
	case found.Never():
		return []Problem{{"the database was never migrated", mend}}, nil
	case len(pending) > 0:
		return []Problem{{(&migrations.PendingError{Pending: pending}).Error(), mend}}, nil
	}
	return nil, nil
}

func (p *Patient) schemaKnown(ctx context.Context) ([]Problem, error) {
	found, err := migrations.Look(ctx, p.DatabaseURL)
	if err != nil {
		return nil, errNothing("what was applied can't be read")
	}
	if !found.Newer() {
		return nil, nil
	}
	return []Problem{{found.NewerText(), "run the newer version of the service"}}, nil
}

// probe asks what the service's own health asks.
func (p *Patient) probe(ctx context.Context) ([]string, error) {
	pool, err := database.Open(ctx, p.DatabaseURL, database.Options{MaxConns: 1, Name: "workflow-worker doctor"})
	if err != nil {
		return nil, err
	}
	defer pool.Close()
	err = rows.Probe(ctx, pool)
	var unusable *rows.UnusableError
	if errors.As(err, &unusable) {
		return unusable.Problems, nil
	}
	return nil, err
}

const rightsMend = `workflow-worker role | psql "$OWNER_DATABASE_URL"`

func isPolicy(problem string) bool { return strings.HasPrefix(problem, "row level security") }

func (p *Patient) rightsTables(ctx context.Context) (out []Problem, err error) {
	found, err := p.probe(ctx)
	for _, text := range found {
		if !isPolicy(text) {
			out = append(out, Problem{text, rightsMend})
		}
	}
	return out, err
}

func (p *Patient) rightsPolicies(ctx context.Context) (out []Problem, err error) {
	found, err := p.probe(ctx)
	for _, text := range found {
		if isPolicy(text) {
			out = append(out, Problem{text, rightsMend})
		}
	}
	return out, err
}

func mending(list []Problem, mend string) []Problem {
	for i := range list {
		list[i].Mend = mend
	}
	return list
}

func (p *Patient) streamWALLevel(ctx context.Context) ([]Problem, error) {
	found, err := p.stream(ctx, cdc.ReasonWALLevel)
	return mending(found, "ALTER SYSTEM SET wal_level = logical   -- then restart PostgreSQL"), err
}

func (p *Patient) streamConnection(ctx context.Context) ([]Problem, error) {
	right, err := p.stream(ctx, cdc.ReasonNoRight)
	if err != nil {
		return nil, err
	}
	others, err := p.stream(ctx, cdc.ReasonPooler, cdc.ReasonRefused, cdc.ReasonUnavailable, cdc.ReasonEnded, cdc.ReasonStandby)
	return append(mending(right, "ALTER ROLE "+p.streamsAs()+" REPLICATION   -- as a superuser"), mending(others, "set REPLICATION_DATABASE_URL to a direct connection to the primary")...), err
}

// streamsAs is the role that the stream is read by.
func (p *Patient) streamsAs() string {
	config, err := pgx.ParseConfig(cmp.Or(p.ReplicationURL, p.DatabaseURL))
	if err != nil || config.User == "" {
		return "…"
	}
	return pgx.Identifier{config.User}.Sanitize()
}

func (p *Patient) streamRoom(ctx context.Context) ([]Problem, error) {
	found, err := p.stream(ctx, cdc.ReasonNoSlot, cdc.ReasonNoSender)
	return mending(found, "SELECT slot_name, active FROM pg_replication_slots   -- then drop what nobody uses, or raise the limit"), err
}

// wastedWAL is how much a slot that nobody reads may hold back before it is worth a word.
const wastedWAL = 64 << 20

// streamSlots looks at what will be in the way later: stream.room tells what is now.
func (p *Patient) streamSlots(ctx context.Context) ([]Problem, error) {
	return p.problems(ctx, `
WITH room AS (
  SELECT 'max_replication_slots' AS setting, 'slots' AS what, current_setting('max_replication_slots')::int AS most,
    (SELECT count(*)::int FROM pg_catalog.pg_replication_slots) AS taken
  UNION ALL SELECT 'max_wal_senders', 'senders', current_setting('max_wal_senders')::int, (SELECT count(*)::int FROM pg_catalog.pg_stat_replication)
)
SELECT pg_catalog.format('one of %s %s is free: while two replicas are replaced, one of them finds none', most, what),
  pg_catalog.format('ALTER SYSTEM SET %s = %s   -- then restart PostgreSQL', setting, most + 4)
FROM room WHERE most - taken = 1
UNION ALL
SELECT pg_catalog.format('nobody reads slot %I, which keeps %s of WAL: the disk fills', slot_name,
    pg_catalog.pg_size_pretty(pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn))),
  pg_catalog.format('SELECT pg_drop_replication_slot(%L)   -- if its reader is gone for good', slot_name)
FROM pg_catalog.pg_replication_slots
WHERE NOT active AND NOT pg_catalog.pg_is_in_recovery() AND pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), restart_lsn) >= $1
UNION ALL
SELECT 'wal_sender_timeout is 0: the slot of a replica whose machine vanished stays, and keeps WAL',
  'ALTER SYSTEM SET wal_sender_timeout = ''60s''; SELECT pg_reload_conf()'
WHERE current_setting('wal_sender_timeout') = '0'`, wastedWAL)
}

// longTransaction is for how long one may be open before it is worth a word.
const longTransaction = time.Minute

// streamOpenTransactions looks for what a new slot would wait for: transactions of all databases of
// the server that have an id, and those that were prepared, which no session has any more. How long a
// session's has been open only its own role and pg_read_all_stats see.
func (p *Patient) streamOpenTransactions(ctx context.Context) ([]Problem, error) {
	return p.problems(ctx, `
SELECT pg_catalog.format('session %s (%s) has a transaction open since %s: a stream that begins now waits for its end', pid,
    pg_catalog.concat_ws(', ', 'database ' || datname, usename, nullif(application_name, ''), state), pg_catalog.date_trunc('second', xact_start)),
  pg_catalog.format('SELECT pg_terminate_backend(%s)   -- if nobody needs it', pid)
FROM pg_catalog.pg_stat_activity WHERE backend_xid IS NOT NULL AND xact_start < $1
UNION ALL
SELECT pg_catalog.format('transaction %L of database %I was prepared at %s and not ended: a stream that begins now waits for that', gid, database, pg_catalog.date_trunc('second', prepared)),
  pg_catalog.format('ROLLBACK PREPARED %L   -- or COMMIT PREPARED, in database %I', gid, database)
FROM pg_catalog.pg_prepared_xacts WHERE prepared < $1`, p.Now().Add(-longTransaction))
}

func (p *Patient) streamPublications(ctx context.Context) ([]Problem, error) {
	found, err := p.stream(ctx, cdc.ReasonPublication)
	return mending(found, "workflow-worker migrate   # as the owner of the tables"), err
}

// streamIdentities looks for what makes the application's own UPDATE fail: a published column list
// that doesn't cover the replica identity.
func (p *Patient) streamIdentities(ctx context.Context) ([]Problem, error) {
	return p.problems(ctx, `
SELECT pg_catalog.format('UPDATE and DELETE of %s fail: publication %I has a column list that doesn''t cover its replica identity', r.prrelid::regclass, p.pubname),
       pg_catalog.format('ALTER PUBLICATION %I DROP TABLE %s; ALTER PUBLICATION %I ADD TABLE %s', p.pubname, r.prrelid::regclass, p.pubname, r.prrelid::regclass)
FROM pg_catalog.pg_publication p
JOIN pg_catalog.pg_publication_rel r ON r.prpubid = p.oid AND r.prattrs IS NOT NULL
JOIN pg_catalog.pg_class c ON c.oid = r.prrelid
LEFT JOIN pg_catalog.pg_index x ON x.indrelid = c.oid AND (c.relreplident = 'i' AND x.indisreplident OR c.relreplident = 'd' AND x.indisprimary)
WHERE (p.pubupdate OR p.pubdelete)
  AND (c.relreplident IN ('f', 'n') OR x.indrelid IS NULL OR NOT x.indkey::int2[] <@ r.prattrs::int2[])
ORDER BY 1`)
}

func (p *Patient) temporalReachable(ctx context.Context) ([]Problem, error) {
	if p.TemporalError != nil {
		return nil, errNothing("the settings about it are wrong")
	}
	if p.temporal == nil {
		var err error
		if p.temporal, err = client.NewLazyClient(p.Temporal); err != nil {
			return nil, err
		}
	}
	if _, err := p.temporal.CheckHealth(ctx, &client.CheckHealthRequest{}); err != nil {
		if unknown := p.unknownHost(ctx); unknown != nil {
			return []Problem{{fmt.Sprintf("%s: %v", p.address(), unknown), "the host of TEMPORAL_ADDRESS"}}, nil
		}
		return []Problem{{fmt.Sprintf("%s: %v", p.address(), err), p.mendOfTemporal(ctx, err)}}, nil
	}
	return nil, nil
}

// unknownHost says why Temporal's host has no address: gRPC has other words for it.
func (p *Patient) unknownHost(ctx context.Context) error {
	host, _, err := net.SplitHostPort(p.address())
	if err != nil {
		return nil //nolint:nilerr // mendOfTemporal tells of it
	}
	var none *net.DNSError
	if _, err = net.DefaultResolver.LookupHost(ctx, host); errors.As(err, &none) {
		return none
	}
	return nil
}

func (p *Patient) payloadsCodec(ctx context.Context) ([]Problem, error) {
	if p.Payloads == nil {
		return nil, errNothing("nothing encrypts them")
	}
	if err := p.Payloads.Check(ctx); err != nil {
		return []Problem{{err.Error(), "PAYLOAD_CODEC_ENDPOINT and PAYLOAD_CODEC_AUTH say where and how"}}, nil //nolint:nilerr // it is what the check found
	}
	return nil, nil
}

func (p *Patient) payloadsHidden(ctx context.Context) (out []Problem, _ error) {
	hides, err := p.Payloads.Hides(ctx)
	if err != nil {
		return nil, err
	}
	if !hides {
		out = append(out, Problem{"the codec server leaves payloads as they are: Temporal can read them", "let it encrypt those of namespace " + p.namespace()})
	}
	if u, err := url.Parse(p.CodecURL); err == nil && u.Scheme == "http" && !isLoopback(u.Hostname()) {
		out = append(out, Problem{"payloads go to the codec server without TLS", "an https:// URL in PAYLOAD_CODEC_ENDPOINT"})
	}
	return out, nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (p *Patient) address() string {
	if p.Temporal.HostPort == "" {
		return client.DefaultHostPort
	}
	return p.Temporal.HostPort
}

func (p *Patient) namespace() string {
	if p.Temporal.Namespace == "" {
		return client.DefaultNamespace
	}
	return p.Temporal.Namespace
}

func (p *Patient) temporalNamespace(ctx context.Context) ([]Problem, error) {
	if err := metrics.CheckNamespace(p.temporal, p.namespace())(ctx); err != nil {
		return []Problem{{err.Error(), p.mendOfNamespace(ctx, err)}}, nil
	}
	return nil, nil
}

func (p *Patient) temporalExecutions(ctx context.Context) ([]Problem, error) {
	if err := metrics.CheckExecutions(p.temporal, p.namespace())(ctx); err != nil {
		return []Problem{{err.Error(), "look at Temporal's history service, and at its database"}}, nil //nolint:nilerr // it is what the check found
	}
	return nil, nil
}

func (p *Patient) temporalRetention(ctx context.Context) ([]Problem, error) {
	found, err := p.temporal.WorkflowService().DescribeNamespace(ctx, &workflowservice.DescribeNamespaceRequest{Namespace: p.namespace()})
	if err != nil {
		return nil, err
	}
	kept := found.GetConfig().GetWorkflowExecutionRetentionTtl().AsDuration()
	if kept > p.CodeRetention {
		return []Problem{{fmt.Sprintf("closed executions are kept for %s and their code for %s: later queries and resets find none", kept, p.CodeRetention), fmt.Sprintf("CODE_RETENTION=%s", kept)}}, nil
	}
	return nil, nil
}

// countProjects counts those that are to run, once for all checks.
func (p *Patient) countProjects(ctx context.Context) error {
	if p.counted {
		return nil
	}
	db, err := p.db(ctx)
	if err != nil {
		return err
	}
	err = db.QueryRow(ctx, `SELECT count(*), coalesce(min(task_queue_name), '') FROM public.projects WHERE coalesce(is_active, true)`).Scan(&p.projects, &p.queue)
	p.counted = err == nil
	return err
}

const (
	// defaultPolls is Temporal's frontend.namespaceCount.
	defaultPolls = 1200
	// pollsOfOne is what an idle project holds.
	pollsOfOne = 3
)

func (p *Patient) scalePolls(ctx context.Context) ([]Problem, error) {
	if err := p.countProjects(ctx); err != nil {
		return nil, err
	}
	if replicas := p.ProjectReplicas; replicas > 0 {
		if n := p.projects * pollsOfOne * replicas; n > defaultPolls {
			return []Problem{{fmt.Sprintf("%d projects, each on %d replicas, hold %d polls, and a namespace allows %d by default", p.projects, replicas, n, defaultPolls), fmt.Sprintf("frontend.namespaceCount: %d, in Temporal's dynamic configuration", n+p.projects)}}, nil
		}
		return nil, nil
	}
	if n := p.projects * pollsOfOne; n > defaultPolls {
		return []Problem{{fmt.Sprintf("%d projects hold %d polls on each replica, and a namespace allows %d by default", p.projects, n, defaultPolls), fmt.Sprintf("frontend.namespaceCount: %d, or more with several replicas, in Temporal's dynamic configuration", 4*p.projects)}}, nil
	}
	return nil, nil
}

func (p *Patient) scalePartitions(ctx context.Context) ([]Problem, error) {
	switch {
	case p.conn == nil:
		return nil, errNothing("no project is known without the database")
	case p.countProjects(ctx) != nil:
		return nil, errNothing("the projects can't be read")
	case p.queue == "":
		return nil, errNothing("there is no project")
	}
	found, err := p.temporal.WorkflowService().ListTaskQueuePartitions(ctx, &workflowservice.ListTaskQueuePartitionsRequest{
		Namespace: p.namespace(), TaskQueue: &taskqueuepb.TaskQueue{Name: p.queue, Kind: enumspb.TASK_QUEUE_KIND_NORMAL},
	})
	if err != nil {
		return nil, errNothing("the server doesn't tell: " + err.Error())
	}
	if n := len(found.GetWorkflowTaskQueuePartitions()); n > 1 {
		return []Problem{{fmt.Sprintf("task queue %s has %d partitions: a quiet queue's tasks wait in those that nobody polls", p.queue, n), "matching.numTaskqueueReadPartitions and matching.numTaskqueueWritePartitions: 1, in Temporal's dynamic configuration"}}, nil
	}
	return nil, nil
}

const (
	// memoryOfProcess and memoryOfProject are measured: DESIGN's yardsticks, rounded up.
	memoryOfProcess = 160 << 20
	memoryOfProject = 1 << 20
)

func (p *Patient) scaleMemory(ctx context.Context) ([]Problem, error) {
	if p.MemoryLimit <= 0 {
		return nil, errNothing("no limit is known")
	}
	if p.ProjectReplicas > 0 {
		return nil, errNothing("a replica runs a part of the projects, as far as its memory goes")
	}
	if err := p.countProjects(ctx); err != nil {
		return nil, err
	}
	if needed := int64(memoryOfProcess + p.projects*memoryOfProject); needed > p.MemoryLimit {
		return []Problem{{fmt.Sprintf("%d projects take about %d MB, and the process may use %d MB", p.projects, needed>>20, p.MemoryLimit>>20), "raise the container's limit, and GOMEMLIMIT if it is set"}}, nil
	}
	return nil, nil
}

func (p *Patient) tlsDatabase(ctx context.Context) (out []Problem, _ error) {
	db, err := p.db(ctx)
	if err != nil {
		return nil, err
	}
	secured, ok := db.PgConn().Conn().(*tls.Conn)
	mode := sslMode(p.DatabaseURL)
	const verify = "sslmode=verify-full, with sslrootcert where the authority is your own"
	switch local := isLocal(&db.Config().Config); {
	case local && !ok:
		return nil, errNothing("the connection doesn't leave this machine")
	case !ok:
		return []Problem{{"the connection isn't encrypted", verify}}, nil
	case mode != "verify-full" && !local:
		out = append(out, Problem{fmt.Sprintf("the server's certificate isn't verified for its name (sslmode is %q)", mode), verify})
	}
	return append(out, p.expiring("the database", secured.ConnectionState().PeerCertificates)...), nil
}

func (p *Patient) tlsTemporal(ctx context.Context) (out []Problem, _ error) {
	config := p.Temporal.ConnectionOptions.TLS
	if config == nil {
		host, _, _ := net.SplitHostPort(p.address())
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			return nil, errNothing("the connection doesn't leave this machine")
		}
		switch {
		case p.Temporal.Credentials == nil:
			return []Problem{{"the connection isn't encrypted", "TEMPORAL_TLS=true"}}, nil
		case p.Temporal.ConnectionOptions.TLSDisabled: // the SDK sends it all the same
			return []Problem{{"the API key goes over a connection that isn't encrypted: whoever is on the way can take it", "TEMPORAL_TLS=true, or no TEMPORAL_TLS at all; and a new key"}}, nil
		}
		config = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	config = config.Clone()
	config.NextProtos = []string{"h2"}
	if config.ServerName == "" {
		config.ServerName, _, _ = net.SplitHostPort(p.address())
	}
	if config.InsecureSkipVerify {
		out = append(out, Problem{"the server's certificate isn't verified", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION=false"})
	}
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", p.address())
	if err != nil {
		return append(out, Problem{err.Error(), "TEMPORAL_TLS_SERVER_CA_CERT_PATH, TEMPORAL_TLS_SERVER_NAME"}), nil
	}
	defer func() { _ = conn.Close() }() // nothing was sent
	if secured, ok := conn.(*tls.Conn); ok {
		out = append(out, p.expiring("Temporal", secured.ConnectionState().PeerCertificates)...)
	}
	own := config.Certificates
	if config.GetClientCertificate != nil {
		c, err := config.GetClientCertificate(&tls.CertificateRequestInfo{})
		if err != nil {
			return append(out, Problem{Text: err.Error()}), nil
		}
		own = append(own, *c)
	}
	for _, c := range own {
		if c.Leaf != nil {
			out = append(out, p.expiring("our own certificate for Temporal", []*x509.Certificate{c.Leaf})...)
		}
	}
	return out, nil
}

func (p *Patient) tracesReceiver(ctx context.Context) ([]Problem, error) {
	if p.Traces == nil {
		return nil, errNothing("none are sent")
	}
	if err := p.Traces(ctx); err != nil {
		return []Problem{{p.TracesEndpoint + ": " + err.Error(), "OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_EXPORTER_OTLP_HEADERS say where and how: receivers take OTLP over HTTP on port 4318"}}, nil //nolint:nilerr // it is what the check found
	}
	return nil, nil
}
