package reconcile

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/trouble"
	"workflow-worker/runtime/logkey"
)

// Reconciler keeps what this process runs as the rows say.
type Reconciler struct {
	cfg   Config
	log   *slog.Logger
	quiet *trouble.Log
	queue *workQueue
	store *rows.CodeStore
	look  chan string // a survey is due; the reason

	runner   Runner // within bounds
	checks   *checks
	requests *requests
	drains   sync.WaitGroup // stops under way
	totals   *totals

	db       rows.DB
	identify rows.Identifier // settled before the first pass

	// open ends when the shutdown begins: nothing is started any more.
	open  context.Context
	close context.CancelCauseFunc

	first *firstLook

	found  found // by what goes on beside the passes
	places *places
	handed chan struct{} // closed once nothing is left to hand over to other replicas

	mu       sync.Mutex // guards what follows
	records  map[string]*record
	cards    map[string]card
	notes    notes
	inflight map[string]chan struct{} // closed when the pass is over
	identity string                   // of the database, at the last look at all
}

// note is what others have to say to the next pass over a project.
type note struct {
	rewrite bool   // its row isn't what was written
	suspect bool   // the runner doesn't know of its worker
	hinted  bool   // its rows are likely to have changed
	lost    bool   // the database may lack its code
	died    string // why its worker is gone; "" if it isn't, or not so
}

// notes are by project.
type notes map[string]note

func (n notes) add(id string, what func(*note)) {
	said := n[id]
	what(&said)
	n[id] = said
}

// New returns a Reconciler that does nothing until Run. The error names all
// mistakes in the configuration.
func New(cfg Config) (*Reconciler, error) {
	cfg = cfg.withDefaults()
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	log := cfg.Logger.With(logkey.Replica, cfg.Replica)
	open, cls := context.WithCancelCause(context.Background())
	r := &Reconciler{
		open:  open,
		close: cls,
		cfg:   cfg,
		log:   log,
		quiet: trouble.NewLog(log, 10*time.Second).Telling(cfg.Observer),
		queue: newWorkQueue(cfg.BackoffBase, cfg.BackoffLimit),
		store: cfg.Store,
		look:  make(chan string, 1),

		runner: boundedRunner{Runner: cfg.Runner, open: open, startTimeout: cfg.StartTimeout, checkTimeout: cfg.CheckTimeout, log: log},
		totals: newTotals(cfg.Observer),

		db:       rows.DB{Pool: cfg.Pool, Timeout: cfg.QueryTimeout},
		identify: rows.Identity,

		first:    newFirstLook(),
		records:  map[string]*record{},
		cards:    map[string]card{},
		notes:    notes{},
		inflight: map[string]chan struct{}{},
		found:    newFound(),
		handed:   make(chan struct{}),
	}
	r.places = newPlaces(base(r), placesConfig{
		Replicas: cfg.ProjectReplicas, Capacity: cfg.Capacity, Host: cfg.Host, Interval: cfg.HeartbeatInterval, Retention: cfg.RowRetention,
		Memory: cfg.Memory, Settled: r.Settled(), Stands: r.stands, Look: r.queue.resync, Observer: cfg.Observer,
	})
	r.checks = newChecks(checksConfig{
		Base: base(r), Store: r.store, Runner: r.runner, Observer: cfg.Observer, Open: open,
		Deadline: cfg.RequestDeadline, Backoff: cfg.backoff,
		Over: func(id string) { r.queue.hint(id, time.Time{}) },
		NotRunning: func(id string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.notes.add(id, func(n *note) { n.suspect = true })
		},
	})
	r.requests = &requests{Base: base(r), queue: r.queue, checks: r.checks, lease: cfg.deadAfter(), deadline: cfg.RequestDeadline}
	return r, nil
}

// Replica is the name of this process among those that work on the same database.
func (r *Reconciler) Replica() string { return r.cfg.Replica }

// LookAt asks for a pass over a project, ahead of those that LookAtAll finds.
// committed is when its change was committed, from which the time to live
// counts; zero means now. It returns at once. What is not a project's id is
// ignored.
func (r *Reconciler) LookAt(projectID string, committed time.Time) {
	r.LookAtChange(projectID, Change{Committed: committed})
}

// LookAtChange is LookAt where it is known which commit made the change.
func (r *Reconciler) LookAtChange(projectID string, c Change) {
	id, err := uuid.Parse(projectID)
	if err != nil {
		r.log.Warn("ignored a hint that names no project", logkey.Project, projectID)
		return
	}
	if r.cfg.Tracer == nil {
		c.LSN = 0 // only a trace has a use for it
	}
	r.queue.hintOf(id.String(), c)
	r.cfg.Observer.QueueDepth(r.queue.len())
}

// LookAtAll asks for a look at all projects, those in the database and those
// running here; what has changed gets a pass. It returns at once. Asking again
// before it began changes nothing.
func (r *Reconciler) LookAtAll(reason string) {
	select {
	case r.look <- reason:
	default:
	}
}

// Run works until ctx ends, then finishes the passes under way, stops all
// projects and says so in their rows, all within ShutdownTimeout. Errors of
// the database or of the runner don't end it. It may be called once. It
// returns an error if it had to abandon something, and names it.
func (r *Reconciler) Run(ctx context.Context) error {
	// Passes outlive ctx: a half-made change isn't to be left behind.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	// As does all else for as long as projects are handed over.
	working, endWorking := context.WithCancel(life)
	defer endWorking()

	var work, side sync.WaitGroup
	sideCtx, endSide := context.WithCancel(life)
	defer endSide()

	began := r.begin(ctx)
	if began {
		beats, others := newHeartbeat(r), services(r)
		r.LookAtAll("start")
		for range r.cfg.Workers {
			work.Go(func() { r.work(life) })
		}
		side.Go(func() { r.surveys(working) })
		side.Go(func() { beats.Run(sideCtx) })
		side.Go(func() { r.places.Run(sideCtx) })
		for _, s := range others {
			side.Go(func() { s.Run(working) })
		}
		<-ctx.Done()
	}
	asked := time.Now()
	if began {
		r.handOver(life)
	}
	close(r.handed)
	endWorking()
	err := r.beginShutdown(asked, &work).finish(life, end)
	endSide()
	side.Wait()
	return err
}

// begin prepares the rows for this process, however long the database takes to
// answer; false means that ctx ended first.
func (r *Reconciler) begin(ctx context.Context) bool {
	for failures := 0; ; failures++ {
		n, err := rows.TakeOver(ctx, r.db, r.cfg.Replica)
		if n > 0 {
			r.log.InfoContext(ctx, "took over the rows of an earlier process that didn't stop", logkey.Projects, n)
		}
		if err == nil {
			r.identify, err = rows.ChooseIdentity(ctx, r.db)
		}
		if err == nil && failures > 0 {
			r.places.late()
		}
		if err == nil {
			err = r.places.join(ctx)
		}
		if err == nil {
			r.quiet.Recover(ctx, "database", "the database answers")
			r.warm(ctx)
			return ctx.Err() == nil
		}
		if ctx.Err() != nil {
			return false
		}
		r.quiet.Fail(ctx, "database", "the database doesn't answer", err)
		if !trouble.Sleep(ctx, r.cfg.backoff(failures)) {
			return false
		}
	}
}

// warm has a connection prepare what a pass reads with, lest the first project
// waits for it. What is wrong the passes will meet.
func (r *Reconciler) warm(ctx context.Context) {
	rec := newRecord(uuid.Nil.String(), r.cfg.Replica)
	if _, _, err := r.lookAtRows(ctx, rec, true); err != nil {
		r.log.DebugContext(ctx, "reading a project to get ready failed", logkey.Error, err)
	}
}

// surveys answers LookAtAll until ctx ends.
func (r *Reconciler) surveys(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case reason := <-r.look:
			for failures := 0; ; failures++ {
				err := r.lookAround(ctx, reason)
				if err == nil || ctx.Err() != nil {
					break
				}
				r.quiet.Fail(ctx, "database", "looking at all projects failed", err)
				if !trouble.Sleep(ctx, r.cfg.backoff(failures)) {
					return
				}
			}
		}
	}
}

// lookAround queues every project whose rows aren't those that were last dealt
// with, that the runner has lost, that has open requests, or that is no more.
func (r *Reconciler) lookAround(ctx context.Context, reason string) error {
	var pick func([]string) []string
	if !r.places.everywhere() {
		pick = r.places.pick
	}
	s, err := rows.ReadSurvey(ctx, r.db, r.identify, pick)
	if err != nil {
		return err
	}
	r.quiet.Recover(ctx, "database", "the database answers again")
	r.mu.Lock()
	was := r.identity
	r.identity = s.Identity
	r.mu.Unlock()
	if was != "" && was != s.Identity {
		r.log.InfoContext(ctx, "the database is another one, or its server was started anew: reading all again", logkey.Was, was, logkey.Is, s.Identity)
	}
	live := map[string]bool{}
	for _, id := range r.runner.Running() {
		live[id] = true
	}
	dirty := s.Open
	r.mu.Lock()
	for id := range s.Projects {
		c, known := r.cards[id]
		if !known || s.Fingerprint(id, c.refs) != c.fingerprint || c.identity != s.Identity {
			dirty = append(dirty, id)
		}
		if known && c.kept > 0 && s.Kept[id] != strconv.Itoa(c.kept) {
			r.notes.add(id, func(n *note) { n.lost = true })
			dirty = append(dirty, id)
		}
	}
	for id, c := range r.cards {
		if !s.All[id] {
			dirty = append(dirty, id)
		}
		if c.phase == running && !live[id] {
			r.notes.add(id, func(n *note) { n.suspect = true })
			dirty = append(dirty, id)
		}
	}
	r.mu.Unlock()
	r.first.found(dirty)
	for _, id := range dirty {
		r.queue.resync(id)
	}
	r.cfg.Observer.QueueDepth(r.queue.len())
	r.log.DebugContext(ctx, "looked at all projects", logkey.Cause, reason, logkey.Projects, len(s.Projects), logkey.ToDo, len(dirty))
	return nil
}

// rewrite asks for a project's row to be written again.
func (r *Reconciler) rewrite(id string) {
	r.mu.Lock()
	r.notes.add(id, func(n *note) { n.rewrite = true })
	r.mu.Unlock()
	r.queue.resync(id)
}

// work makes passes until the queue is shut down.
func (r *Reconciler) work(ctx context.Context) {
	for {
		it, ok := r.queue.get()
		if !ok {
			return
		}
		r.process(ctx, it)
		r.queue.done(it.id)
		r.first.passed(it.id)
		r.cfg.Observer.QueueDepth(r.queue.len())
	}
}

// process makes one pass and arranges for the next one if it failed.
func (r *Reconciler) process(ctx context.Context, it item) {
	if !r.mayEnter(it.id) {
		return
	}
	rec, n, end, ok := r.enter(it.id)
	if !ok {
		return
	}
	defer end()
	n.hinted = it.hinted
	began := time.Now()
	ctx, span := r.beginPass(ctx, rec, it, began)
	err := r.guarded(ctx, rec, n, it.since)
	rec.endPass(span, err)
	r.publish(rec)
	r.cfg.Observer.Reconciled(time.Since(began), err)

	switch f := rec.failure; {
	case err == nil && f == nil:
		r.queue.forget(it.id)
	case err == nil: // nothing was attempted; the retry stays as it was
	case f != nil && f.permanent && rec.fingerprint != "":
		r.queue.forget(it.id)
	default:
		now := time.Now()
		wait := r.queue.retry(it.id)
		if f != nil {
			f.until = now.Add(wait)
			rec.due = f.until
		}
	}
}

// mayEnter says whether a project that isn't known here yet is this replica's to look at, now.
func (r *Reconciler) mayEnter(id string) bool {
	r.mu.Lock()
	_, known := r.records[id]
	r.mu.Unlock()
	if known {
		return true
	}
	yes, wait := r.places.admit(id)
	switch {
	case wait > 0:
		r.queue.after(id, wait)
	case !yes:
		r.queue.forget(id)
	}
	return yes
}

// enter reserves the record of a project for a pass; end gives it back.
func (r *Reconciler) enter(id string) (rec *record, n note, end func(), ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closing() {
		return nil, note{}, nil, false
	}
	rec = r.records[id]
	if rec == nil {
		rec = newRecord(id, r.cfg.Replica)
		r.records[id] = rec
	}
	rec.found = r.found.of(id)
	n = r.notes[id]
	delete(r.notes, id)
	done := make(chan struct{})
	r.inflight[id] = done
	return rec, n, func() {
		r.mu.Lock()
		delete(r.inflight, id)
		r.mu.Unlock()
		close(done)
	}, true
}

func (r *Reconciler) closing() bool { return r.open.Err() != nil }

// guarded makes a pass; a panic in it is an error like any other.
func (r *Reconciler) guarded(ctx context.Context, rec *record, n note, asked time.Time) (err error) {
	panicked := true
	defer func() {
		if panicked {
			rec.fingerprint, rec.uncertain = "", true
		}
	}()
	defer recovered(ctx, r.log, rec.id, &err)
	err = r.pass(ctx, rec, n, asked)
	panicked = false
	return err
}

// publish shows a record to the others, or forgets it if the project is gone.
func (r *Reconciler) publish(rec *record) {
	r.mu.Lock()
	old, known := r.cards[rec.id]
	if known {
		r.totals.count(old, -1)
	}
	if (rec.gone || rec.elsewhere && rec.settled) && rec.phase == absent {
		delete(r.records, rec.id)
		delete(r.cards, rec.id)
		r.found.forget(rec.id)
	} else {
		c := rec.card()
		r.cards[rec.id] = c
		r.totals.count(c, +1)
	}
	now, still := r.cards[rec.id]
	r.mu.Unlock()
	if known != still || old.status != now.status || old.broken != now.broken {
		r.totals.tell()
	}
}
