package executions

import (
	"sync"

	"workflow-worker/reconcile/bell"
)

// places bound what is under way at once, in all and for each of those who share them: a flood of
// one leaves room for the others.
type places struct {
	// most are under way, of which one has at most share. More is claimed for whoever has no more
	// than half a share, and no more than half a share at once.
	most, share int
	// least is how many must be free before more is claimed: many in one statement.
	least int
	bell  bell.Bell // rings when there is room again, and when something failed

	mu     sync.Mutex // guards what follows
	taken  map[string]int
	total  int
	failed error // the first since takeFailure
	went   bool  // something went well since
}

// room is how many may begin, and who has a share already.
func (p *places) room() (free int, busy []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for who, n := range p.taken {
		if n > p.share/2 {
			busy = append(busy, who)
		}
	}
	if free = p.most - p.total; free < p.least || p.failed != nil {
		free = 0 // whoever gets done rings, or has failed, of which the next turn tells
	}
	return free, busy
}

// take gives places to what was claimed for free ones. More says that the claim may have left
// something that could begin, for it was as large as it could be.
func (p *places) take(free int, claimed []string) (more bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken == nil {
		p.taken = map[string]int{}
	}
	count := map[string]int{}
	for _, who := range claimed {
		p.taken[who]++
		count[who]++
	}
	for who, n := range count {
		more = more || n >= p.share/2 && p.taken[who] <= p.share/2
	}
	p.total += len(claimed)
	return more || len(claimed) >= free
}

// leave makes room.
func (p *places) leave(who string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[who]--; p.taken[who] == 0 {
		delete(p.taken, who)
	}
	p.total--
	if err == nil {
		p.went = true
	} else if p.failed == nil {
		p.failed = err
	}
	if p.least == 1 || err != nil || p.total == 0 || p.total == p.most-p.least || p.taken[who] == p.share/2 {
		p.bell.Ring()
	}
}

// takeFailure gives the first failure since the last time; alone says that nothing went well since.
func (p *places) takeFailure() (alone bool, failed error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	alone, failed = !p.went, p.failed
	p.failed, p.went = nil, false
	return alone, failed
}

// idle says that nothing is under way, and nothing failed.
func (p *places) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total == 0 && p.failed == nil
}

// crowded says that many are under way.
func (p *places) crowded() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total > p.share/2
}
