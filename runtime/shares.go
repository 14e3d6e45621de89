package runtime

import (
	"sync"

	"workflow-worker/activities/userlog"
	"workflow-worker/runtime/activity"
)

// share is what one project has of what belongs to all, whatever becomes of its code and its worker.
type share struct {
	turns *activity.Turns
	log   *userlog.Budget
}

// shares are those of all projects that have some. Safe for concurrent use.
type shares struct {
	alone func() bool

	mu        sync.Mutex // guards byProject
	byProject map[string]*share
}

// of gives a project's, made when it is first asked for.
func (s *shares) of(projectID string) *share {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byProject[projectID] == nil {
		if s.byProject == nil {
			s.byProject = map[string]*share{}
		}
		s.byProject[projectID] = &share{turns: activity.NewTurns(s.alone), log: userlog.NewBudget()}
	}
	return s.byProject[projectID]
}
