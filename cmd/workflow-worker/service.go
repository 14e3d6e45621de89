package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"

	"workflow-worker/cdc"
	"workflow-worker/metrics"
	"workflow-worker/migrations"
	"workflow-worker/migrations/database"
	"workflow-worker/reconcile"
	"workflow-worker/reconcile/executions"
	"workflow-worker/reconcile/executions/steps"
	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/buildid"
	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/cell"
	"workflow-worker/runtime/logkey"
	"workflow-worker/runtime/memory"
	"workflow-worker/runtime/replay"
	"workflow-worker/runtime/tracing"
	"workflow-worker/runtime/workflow/wire"
)

// run is the service, until ctx ends.
func (p process) run(ctx context.Context) error {
	s, err := p.readSettings(all)
	if err != nil {
		return err
	}
	var level logLevel
	level.Set(s.LogLevel)
	log := s.logger(p.stderr, &level)
	if p.alone {
		adopt(log)
		adoptGRPC()
	}
	defer s.followLevel(&level, log)()
	return s.told(ctx, log, p.serve(ctx, s, log, &level))
}

// serve is run with its settings and log.
func (p process) serve(ctx context.Context, s settings, log *slog.Logger, level *logLevel) error {
	for _, x := range s.environment.slips(s.handedOn()) {
		log.Warn("a variable of the environment is no setting, but nearly", slog.String(logkey.Was, x.name), slog.String(logkey.Is, x.meant))
	}
	if _, set := s.environment.Lookup("TEMPORAL_CODEC_ENDPOINT"); set && !s.encrypts() {
		log.Warn("TEMPORAL_CODEC_ENDPOINT is for Temporal's command line: nothing is encrypted here without PAYLOAD_CODEC_ENDPOINT")
	}
	if err := bundle.Built(); err != nil {
		return err
	}
	worker.SetStickyWorkflowCacheSize(s.workflowCacheSize())
	m := metrics.New(metrics.Options{Version: buildid.Version(), Revision: buildid.Revision(), UserSeries: s.userSeries(), TopProjects: s.topProjects(), MemoryLimit: memory.Limit()})

	tracer, endTraces, err := s.startTraces(ctx, log)
	if err != nil {
		return err
	}
	defer endTraces()
	log = tracer.Log(log)
	temporal, tasks, err := s.dialTemporal(m.TemporalHandler(), log)
	if err != nil {
		return err
	}
	defer temporal.Close()
	pool, err := openPool(ctx, s, log)
	if err != nil {
		return err
	}
	defer pool.Close()

	var prepared atomic.Bool
	server, err := metrics.Listen(ctx, m, metrics.ServerOptions{
		Address:  net.JoinHostPort(s.Host, strconv.Itoa(s.Port)),
		Database: checkDatabase(pool, &prepared),
		Temporal: metrics.CheckTemporal(temporal, temporal.namespace),
		Logger:   log,
	})
	if err != nil {
		return err
	}
	defer serveHealth(ctx, server, log)()
	watching, endWatch := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { watchCodec(watching, temporal.codec, m, log) })
	defer watch.Wait()
	defer endWatch()
	endProfiles, err := s.serveProfiles(ctx, log)
	if err != nil {
		return err
	}
	defer endProfiles()
	log.Info("workflow-worker is up", slog.String(logkey.Version, buildid.Version()), slog.String(logkey.SDK, bundle.Version()), slog.String(logkey.Address, server.Address()))

	if err := s.prepareDatabase(ctx, log); err != nil || ctx.Err() != nil {
		return unlessStopped(err)
	}
	prepared.Store(true)
	err = p.watch(ctx, s, watched{metrics: m, temporal: temporal.Client, namespace: temporal.namespace, tasks: tasks, pool: pool, tracer: tracer, log: log, level: level})
	log.Info("workflow-worker ends")
	return err
}

// prepareDatabase migrates, or makes sure that the owner did. It waits for a database that doesn't
// answer.
func (s settings) prepareDatabase(ctx context.Context, log *slog.Logger) error {
	if s.MigrateOnStart {
		if err := migrations.RunUntilDone(ctx, s.DatabaseURL, log); err != nil {
			return fmt.Errorf("migrate the database: %w", err)
		}
	}
	found, err := migrations.CheckUntilAnswered(ctx, s.DatabaseURL, log)
	if err != nil {
		return err
	}
	if found.Newer() {
		log.Warn(found.NewerText())
	}
	return nil
}

// watched is what watch works with.
type watched struct {
	metrics  *metrics.Metrics
	temporal client.Client
	// namespace is that of temporal.
	namespace string
	tasks     *wire.Tasks // of temporal
	level     *logLevel
	pool      *database.Pool
	tracer    *tracing.Tracer
	log       *slog.Logger
}

// watch wires cdc → reconcile → runtime and runs them until ctx ends.
func (p process) watch(ctx context.Context, s settings, w watched) error {
	store := rows.NewCodeStore(w.pool)
	keptCode, failures := upkeep.NewKeptCodeReports(), upkeep.NewFailureReports()
	failures.HideMessages = s.PayloadFailures && !s.recordsValues()
	statistics := upkeep.NewStatistics(w.pool, s.HeartbeatInterval, w.log, w.metrics)
	executed := executions.New(executions.Config{
		Pool: w.pool, Temporal: w.temporal.WorkflowService(), Namespace: w.namespace, Identity: "workflow-worker",
		All: s.RecordExecutions == "all", MaxValue: s.ExecutionMaxValue, Keep: s.ExecutionRetention, SweepInterval: s.HeartbeatInterval,
		HideValues: !s.recordsValues(), HideFailures: s.PayloadFailures && !s.recordsValues(),
		Steps:  steps.Settings{Record: s.RecordSteps, Payloads: s.RecordPayloads, MaxValue: s.StepMaxValue},
		Logger: w.log, Observer: w.metrics,
	})
	// A cell can't die before there are projects, which the reconciler starts.
	var reconciler *reconcile.Reconciler
	quarantine := &rows.Quarantine{DB: rows.DB{Pool: w.pool, Timeout: 15 * time.Second}}
	var knows atomic.Pointer[reconcile.Reconciler]
	runner, elsewhere, endRunner, err := p.runs(s, w, runtime.Config{
		Store:      store,
		Activities: statistics,
		Usage:      w.metrics,
		Meter:      func(projectID string) runtime.Meter { return w.metrics.UserMetrics(projectID) },
		KeptCode:   keptCode,
		Failures:   failures,
		Progress:   executed,
		Steps:      executed.Steps(),
		Tracer:     w.tracer,
		Logger:     w.log,
		Observer:   w.metrics,
	}, losses{
		died: func(d cell.Death) {
			w.metrics.CellDied()
			if len(d.Projects) > 0 {
				reconciler.WorkersDied(d.Projects, d.String())
			}
		},
		// Warm may come to this before there is a reconciler.
		moved: func(projectIDs []string) {
			if r := knows.Load(); r != nil {
				r.WorkersDied(projectIDs, "")
			}
		},
		quarantine: quarantine,
	})
	if err != nil {
		return err
	}
	defer endRunner()
	w.metrics.CellsUse(elsewhere)
	if err := runner.Warm(ctx); err != nil {
		if s.Cells > 0 && ctx.Err() == nil {
			err = fmt.Errorf("%w; CELLS=0 runs JavaScript in the service's own process", err)
		}
		return err
	}
	waiting, _ := runner.(upkeep.Quarantine)
	if waiting != nil {
		w.metrics.ExecutionsWait(func() (n int) {
			for _, list := range waiting.Quarantined() {
				for _, x := range list {
					if !x.Project {
						n++
					}
				}
			}
			return n
		})
	}
	memoryLimit := memory.Limit() // before it is tuned
	reconciler, err = reconcile.New(reconcile.Config{
		Pool:              w.pool,
		Runner:            quarantined{runner, w.metrics},
		Tracer:            w.tracer,
		Store:             store,
		Executions:        replay.NewExecutions(w.temporal),
		Replica:           s.ReplicaName,
		ProjectReplicas:   s.ProjectReplicas,
		Capacity:          s.Capacity,
		Memory:            func() (used, limit int64) { return memory.Used() + elsewhere(), memoryLimit },
		KeptCode:          keptCode,
		Failures:          failures,
		Polls:             runner,
		Quarantine:        waiting,
		RemovalGrace:      orNone(s.RemovalGrace),
		CodeRetention:     orNone(s.CodeRetention),
		HeartbeatInterval: s.HeartbeatInterval,
		CensusInterval:    2 * s.HeartbeatInterval,
		ShutdownTimeout:   s.ShutdownTimeout,
		Logger:            w.log,
		Observer:          w.metrics,
	})
	if err != nil {
		return err
	}
	knows.Store(reconciler)
	statistics.Replica, quarantine.Replica = reconciler.Replica(), reconciler.Replica()
	told := listeners{reconciler, executed}
	var interest *upkeep.Interest
	if f, ok := runner.(follower); ok {
		interest = upkeep.NewInterest(rows.DB{Pool: w.pool, Timeout: 15 * time.Second}, s.RecordExecutions == "all", f.Follow)
		told = append(told, interest)
	}
	if m, ok := runner.(cdc.Messages); ok {
		told = append(told, m)
	}
	stream := &streamObserver{Metrics: w.metrics, settled: make(chan struct{})}
	source, err := cdc.New(cdc.Config{
		DatabaseURL:    s.DatabaseURL,
		ReplicationURL: s.ReplicationDatabaseURL,
		Publications:   []string{migrations.Publication, migrations.RequestsPublication},
		ResyncInterval: s.ResyncInterval,
		Logger:         w.log,
		Renew:          s.renewStream(),
		Handler:        lookers{reconciler, executed},
		Messages:       told,
		Observer:       stream,
	})
	if err != nil {
		return err
	}

	var group sync.WaitGroup
	var sourceErr, reconcileErr error
	group.Go(func() { memory.Tune(ctx) })
	if interest != nil {
		group.Go(func() { interest.Run(ctx) })
	}
	group.Go(func() { tellPhase(ctx, w.metrics, reconciler.Settled(), stream.settled) })
	// What changes while projects are handed over to other replicas is followed, too.
	watching, endWatching := context.WithCancel(context.WithoutCancel(ctx))
	defer endWatching()
	group.Go(func() {
		<-reconciler.HandedOver()
		endWatching()
	})
	group.Go(func() { sourceErr = source.Run(watching) })
	// What workers do while they stop is still written.
	executing, endExecutions := context.WithCancel(context.WithoutCancel(ctx))
	defer endExecutions()
	// And what they did is counted, the last of it when all is written.
	counting, endCounting := context.WithCancel(context.WithoutCancel(ctx))
	defer endCounting()
	group.Go(func() { statistics.Run(counting) })
	group.Go(func() {
		defer endCounting()
		executed.Run(executing)
	})
	group.Go(func() {
		defer endExecutions()
		reconcileErr = reconciler.Run(ctx)
	})
	group.Wait()
	if ctx.Err() != nil && reconcileErr != nil {
		// The shutdown was asked for and is over; what it left behind Temporal hands to others.
		w.log.Warn("the shutdown left work behind", slog.String(logkey.Error, reconcileErr.Error()))
		reconcileErr = nil
	}
	return errors.Join(unlessStopped(sourceErr), reconcileErr)
}

// lookers are all who look when anything may have changed.
type lookers struct {
	*reconcile.Reconciler
	executions *executions.Service
}

// LookAt implements cdc.Handler.
func (l lookers) LookAt(projectID string, c cdc.Commit) {
	l.LookAtChange(projectID, reconcile.Change{Committed: c.At, LSN: uint64(c.LSN)})
}

// LookAtAll implements cdc.Handler.
func (l lookers) LookAtAll(reason string) {
	l.Reconciler.LookAtAll(reason)
	l.executions.LookAtAll()
}

// listeners are all who are told of messages in the log.
type listeners []cdc.Messages

// Told implements cdc.Messages.
func (l listeners) Told(content string, committed time.Time) {
	for _, x := range l {
		x.Told(content, committed)
	}
}

// streamObserver notices when change capture knows whether it streams or polls.
type streamObserver struct {
	*metrics.Metrics
	once    sync.Once
	settled chan struct{}
}

// StreamState implements cdc.Observer.
func (o *streamObserver) StreamState(mode, reason string) {
	o.Metrics.StreamState(mode, reason)
	if mode != cdc.ModeConnecting {
		o.once.Do(func() { close(o.settled) })
	}
}

// tellPhase says when the service is ready: every project has been looked at, and changes arrive.
func tellPhase(ctx context.Context, m *metrics.Metrics, ready ...<-chan struct{}) {
	for _, c := range ready {
		select {
		case <-c:
		case <-ctx.Done():
			m.SetPhase(metrics.PhaseStopping)
			return
		}
	}
	m.SetPhase(metrics.PhaseRunning)
	<-ctx.Done()
	m.SetPhase(metrics.PhaseStopping)
}

// orNone is a duration as reconcile counts it, where zero means the default and less means none.
func orNone(d time.Duration) time.Duration {
	if d == 0 {
		return -1
	}
	return d
}

// unlessStopped is nil for the end that the signal asked for.
func unlessStopped(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, errSignal) {
		return nil
	}
	return err
}

// poolSize is how many connections the service holds at most: reconciles in parallel, the
// heartbeat, and the code store.
const poolSize = 12

func openPool(ctx context.Context, s settings, log *slog.Logger) (*database.Pool, error) {
	pool, err := database.Open(ctx, s.DatabaseURL, database.Options{
		MaxConns: poolSize, Name: "workflow-worker", Renew: s.renewDatabase("DATABASE_URL", s.DatabaseURL), Logger: log,
	})
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL: %w", err)
	}
	return pool, nil
}

// checkDatabase asks whether the database answers, and, once it is prepared, whether the service can
// work with it: until then what lacks is about to be made.
func checkDatabase(pool *database.Pool, prepared *atomic.Bool) metrics.Check {
	return func(ctx context.Context) error {
		if err := pool.Ping(ctx); err != nil || !prepared.Load() {
			return err
		}
		err := rows.Probe(ctx, pool)
		if rows.Unusable(err) {
			return metrics.Unusable(err)
		}
		return err
	}
}

// serveHealth runs the server beyond ctx, until the returned function is called: it is last, so that
// health tells of the shutdown while it goes on.
func serveHealth(ctx context.Context, server *metrics.Server, log *slog.Logger) (end func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() {
		if err := server.Run(ctx); err != nil {
			log.Warn("the HTTP server didn't stop in time", slog.String(logkey.Error, err.Error()))
		}
	})
	return func() {
		cancel()
		work.Wait()
	}
}
