package runtime

import (
	"strconv"
	"testing"
	"time"
)

func TestWorkersOfAFleetStartOnTheBeat(t *testing.T) {
	t.Parallel()
	r := &Runner{began: time.Now(), projects: map[string]*project{}}
	at := r.began.Add(7*beat + beat/4)
	for i := range fleet {
		if wait := r.untilBeat(at); wait != 0 {
			t.Fatalf("with %d projects one waits for %v", i, wait)
		}
		r.projects[strconv.Itoa(i)] = nil
	}
	if wait := r.untilBeat(at); at.Add(wait).Sub(r.began) != 8*beat {
		t.Errorf("one of a fleet starts %v after the beat", (at.Add(wait).Sub(r.began))%beat)
	}
}
