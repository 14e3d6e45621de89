package runtime

import "time"

// PollFailure says since when a project's worker can't ask Temporal for tasks, and why.
type PollFailure struct {
	Since time.Time
	Error string
}

// FailingPolls gives the running projects whose workers can't ask Temporal for tasks: it is out of
// reach, has no such namespace, or refuses.
func (r *Runner) FailingPolls() map[string]PollFailure {
	byQueue := r.cfg.Tasks.FailingPolls()
	if len(byQueue) == 0 {
		return nil
	}
	out := map[string]PollFailure{}
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, p := range r.projects {
		if f, fails := byQueue[p.taskQueue]; fails {
			out[id] = PollFailure(f)
		}
	}
	return out
}
