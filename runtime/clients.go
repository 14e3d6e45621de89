package runtime

import (
	"net/http"
	"sync"

	"workflow-worker/activities"
)

// clients are the projects' HTTP clients: each has connections, TLS sessions and limits of its own.
type clients struct {
	guard activities.GuardOptions

	mu        sync.Mutex // guards byProject
	byProject map[string]*http.Client
}

// of gives a project's client, made when it's first asked for.
func (c *clients) of(projectID string) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byProject[projectID] == nil {
		if c.byProject == nil {
			c.byProject = map[string]*http.Client{}
		}
		c.byProject[projectID] = activities.HTTPClient(c.guard)
	}
	return c.byProject[projectID]
}

// drop closes a project's idle connections and forgets its client.
func (c *clients) drop(projectID string) {
	c.mu.Lock()
	client := c.byProject[projectID]
	delete(c.byProject, projectID)
	c.mu.Unlock()
	if client != nil {
		client.CloseIdleConnections()
	}
}
