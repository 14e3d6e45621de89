package executions

import (
	"testing"
	"time"
)

func TestAnOutageIsNotOverWhileWhatFailedWaitsForItsNextTurn(t *testing.T) {
	t.Parallel()
	var o outage
	now := time.Now()
	if !o.over(now) {
		t.Error("an outage that there never was isn't over")
	}
	o.failed(now)
	// What is given back waits for a second, and is looked for every three.
	if o.over(now.Add(time.Second + abandonedTurn)) {
		t.Error("it is over though what failed has waited for its turn")
	}
	if !o.over(now.Add(3 * abandonedTurn)) {
		t.Error("it isn't over though nobody wants anything any more")
	}
	o.failed(now)
	o.went()
	if !o.over(now) {
		t.Error("it isn't over though something went well")
	}
}
