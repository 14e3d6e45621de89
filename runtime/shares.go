package runtime

import (
	"sync"
	"time"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/activity"
)

// share is what one project has of what belongs to all, whatever becomes of its code and its worker.
type share struct {
	turns *activity.Turns
	log   *userlog.Budget
}

// beside is for how long a project counts as one that runs code, after it was entered.
const beside = 5 * time.Second

// shares are those of all projects that have some. Safe for concurrent use.
type shares struct {
	mu        sync.Mutex // guards what follows
	byProject map[string]*share
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

// of gives a project's, made when it is first asked for.
func (s *shares) of(projectID string) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byProject[projectID] == nil {
		if s.byProject == nil {
			s.byProject = map[string]*share{}
		}
		s.byProject[projectID] = &share{turns: activity.NewTurns(func() bool { return s.alone(projectID) }), log: userlog.NewBudget()}
	}
	return s.byProject[projectID]
}
