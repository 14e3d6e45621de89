package reconcile

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// TestLostAndDoubledHintsNeverCauseAWrongState writes at random as the UI
// does, loses half of the hints, doubles and misdirects others, and wants both
// replicas to run in the end what the rows say.
func TestLostAndDoubledHintsNeverCauseAWrongState(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rnd := rand.New(rand.NewPCG(seed, 1))
	h := newHouse(t)
	a := h.work(func(c *Config) { c.RemovalGrace = 20 * time.Millisecond })
	b := h.second(func(c *Config) { c.RemovalGrace = 50 * time.Millisecond }).start()
	var projects, workflows []string
	for range 6 {
		p, w := h.Shop("v0")
		w2 := h.Workflow(p, "second")
		h.Code(w2, "1", "second v0")
		projects, workflows = append(projects, p), append(workflows, w, w2)
	}
	for i := range 300 {
		p, w := projects[rnd.IntN(len(projects))], workflows[rnd.IntN(len(workflows))]
		switch rnd.IntN(10) {
		case 0:
			h.Exec(`UPDATE workflow_compiled_code SET is_active = NOT is_active WHERE workflow_id = $1`, w)
		case 1:
			h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, w)
			h.hintSome(rnd, p, a, b)
			h.Code(w, fmt.Sprint("v", i), fmt.Sprint("text ", i))
		case 2:
			h.Exec(`UPDATE projects SET is_active = NOT is_active WHERE id = $1`, p)
		case 3:
			h.Exec(`UPDATE workflows SET is_active = NOT is_active WHERE id = $1`, w)
		case 4:
			h.Request(p, []string{"start", "stop", "restart"}[rnd.IntN(3)])
		case 5:
			h.Exec(`UPDATE projects SET task_queue_name = $2 WHERE id = $1`, p, fmt.Sprint("queue ", i))
		case 6:
			h.Exec(`UPDATE workflows SET project_id = $2, kebab_name = $3 WHERE id = $1`, w, p, fmt.Sprint("moved-", i))
		case 7:
			h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'BROKEN' WHERE workflow_id = $1`, w)
		default:
			h.Exec(`UPDATE workflow_compiled_code SET workflow_code = $2 WHERE workflow_id = $1`, w, fmt.Sprint("edit ", i))
		}
		h.hintSome(rnd, p, a, b)
	}
	// What is broken now would run the last good text, which depends on what
	// each replica happened to see.
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'mended ' || id WHERE workflow_code = 'BROKEN'`)
	a.LookAtAll("end")
	b.LookAtAll("end")
	for _, p := range projects {
		for _, r := range []*replica{a, b} {
			eventually(t, func() error { return r.differs(p) })
		}
	}
	eventually(t, func() error {
		a.LookAtAll("resync")
		return expect(one[int](h, `SELECT count(*)::int FROM worker_requests WHERE status IN ('pending', 'processing')`), 0)
	})
}

func (h *house) hintSome(rnd *rand.Rand, project string, replicas ...*replica) {
	for _, r := range replicas {
		for range rnd.IntN(3) {
			r.LookAt(project, time.Now())
		}
		if rnd.IntN(20) == 0 {
			r.LookAtAll("sometimes")
		}
	}
}

// differs says how what runs differs from what the rows say.
func (r *replica) differs(project string) error {
	s := r.h.Read(project, false)
	should := s.Forbidden() == "" && hasWorkflow(s.Sources)
	if r.runner.runs(project) != should {
		return fmt.Errorf("%s runs %s: %t, should be %t", r.cfg.Replica, project, !should, should)
	}
	if !should {
		return nil
	}
	r.runner.mu.Lock()
	live := len(r.runner.live[project])
	r.runner.mu.Unlock()
	if live != len(s.Project.Workflows) {
		return fmt.Errorf("%s has %d live sources, want %d", r.cfg.Replica, live, len(s.Project.Workflows))
	}
	for _, w := range s.Project.Workflows {
		if got := r.runner.serves(project, w.ID); got != w.Code {
			return fmt.Errorf("%s serves %q, want %q", r.cfg.Replica, got, w.Code)
		}
	}
	queue := r.runner.last("start", project).TaskQueue
	if queue != s.TaskQueue {
		return fmt.Errorf("%s is on %q, want %q", r.cfg.Replica, queue, s.TaskQueue)
	}
	return nil
}
