package activities

import (
	"net/http"
	"sync"
)

// Clients are HTTP clients by who uses them: each has connections, TLS sessions and limits of its
// own. It is safe for concurrent use.
type Clients struct {
	// Guard says what they may reach.
	Guard GuardOptions
	// Around, unless it is nil, gives what stands around each client's connections.
	Around func(http.RoundTripper) http.RoundTripper

	mu     sync.Mutex // guards byUser
	byUser map[string]*http.Client
}

// Of gives a user's client, made when it's first asked for.
func (c *Clients) Of(user string) *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byUser[user] == nil {
		if c.byUser == nil {
			c.byUser = map[string]*http.Client{}
		}
		client := HTTPClient(c.Guard)
		if c.Around != nil {
			client.Transport = c.Around(client.Transport)
		}
		c.byUser[user] = client
	}
	return c.byUser[user]
}

// Drop closes a user's idle connections and forgets its client.
func (c *Clients) Drop(user string) {
	c.mu.Lock()
	client := c.byUser[user]
	delete(c.byUser, user)
	c.mu.Unlock()
	if client != nil {
		client.CloseIdleConnections()
	}
}
