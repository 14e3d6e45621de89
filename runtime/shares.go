package runtime

import (
	"sync"
	"time"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/cores"
)

// share is what one project has of what belongs to all, whatever becomes of its code and its worker.
type share struct {
	turns *cores.Turns
	log   *userlog.Budget
	asked time.Time // when it was asked for last; guarded by shares' mu
}

// beside is for how long a project counts as one that runs code, after it was entered.
const beside = 5 * time.Second

const (
	// fewShares is how many there are at least before any is forgotten.
	fewShares = 64
	// shareKept is for how long that of a project which doesn't run is kept: a stop and a start give
	// nobody more than its share.
	shareKept = 10 * time.Minute
)

// shares are those of all projects that have some. Safe for concurrent use.
type shares struct {
	mu        sync.Mutex // guards what follows
	byProject map[string]*share
	// most is at how many those are looked for that can be forgotten.
	most int
	// latest are the two projects whose code was entered last, the last one first.
	latest [2]struct {
		projectID string
		at        time.Time
	}
}

// enters notes that code of a project is about to run.
func (s *shares) enters(projectID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.latest[0].projectID != projectID {
		s.latest[1] = s.latest[0]
		s.latest[0].projectID = projectID
	}
	s.latest[0].at = time.Now()
}

// alone tells that no code of another project was entered lately: the cores are this one's.
func (s *shares) alone(projectID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	other := s.latest[0]
	if other.projectID == projectID {
		other = s.latest[1]
	}
	return time.Since(other.at) > beside
}

// of gives a project's, made when it is first asked for. runs tells whether a project has a worker here.
func (s *shares) of(projectID string, runs func(string) bool) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byProject[projectID] == nil {
		s.forget(runs)
		if s.byProject == nil {
			s.byProject = map[string]*share{}
		}
		s.byProject[projectID] = &share{turns: cores.New(func() bool { return s.alone(projectID) }), log: userlog.NewBudget()}
	}
	s.byProject[projectID].asked = time.Now()
	return s.byProject[projectID]
}

// forget drops those of projects that have been gone for a while, once there are twice as many as were
// left the last time. With mu held.
func (s *shares) forget(runs func(string) bool) {
	if len(s.byProject) < max(s.most, fewShares) {
		return
	}
	for id, x := range s.byProject {
		if time.Since(x.asked) > shareKept && x.turns.Rests() && !runs(id) {
			delete(s.byProject, id)
		}
	}
	s.most = 2 * len(s.byProject)
}
