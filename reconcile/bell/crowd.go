package bell

import "time"

// crowdWindow is how long what comes is counted for.
const crowdWindow = 500 * time.Millisecond

// Crowd says how much comes along. The more it is, the longer a loop may wait for what can go into
// one statement: whoever watches one execution waits for no other, and a flood is few statements.
type Crowd struct {
	since         time.Time
	before, count int // in the last window, and in this one
}

// Add counts one.
func (c *Crowd) Add(now time.Time) {
	if past := now.Sub(c.since); past >= crowdWindow {
		c.since, c.before, c.count = now, c.count, 0
		if past >= 2*crowdWindow {
			c.before = 0
		}
	}
	c.count++
}

// Size is about how many come in half a second.
func (c *Crowd) Size() int { return max(c.before, c.count) }
