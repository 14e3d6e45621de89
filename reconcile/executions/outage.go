package executions

import "time"

// outage says when what starts failed by is over. That nothing is under way doesn't say so by itself: what was
// given back waits for its next turn, and until then there is nothing to do.
type outage struct {
	since time.Time // of the last failure; zero: something went well since
}

func (o *outage) failed(now time.Time) { o.since = now }

func (o *outage) went() { o.since = time.Time{} }

// over says that something went well since the failure, or that what was given back would have had its
// turn since, and nobody wants anything any more.
func (o *outage) over(now time.Time) bool {
	return o.since.IsZero() || now.Sub(o.since) >= 2*abandonedTurn
}
