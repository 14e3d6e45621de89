package runtime

import (
	"slices"
	"testing"
	"time"
)

func TestWhoEndsItsOwnCellWaits(t *testing.T) {
	t.Parallel()
	r := QuarantineRules{Apart: 2, Remembered: 10 * time.Minute, FirstHold: 30 * time.Second, MostHold: 5 * time.Minute, MostSuspects: 2, Forgotten: time.Hour}
	at := time.Now()
	var known Suspicion
	dies := func(after time.Duration, code string, alone int, runs ...string) {
		at = at.Add(after)
		death := Suspicion{ProjectID: "p", Code: code, Deaths: 1 - alone, Alone: alone, Last: at}
		for _, run := range runs {
			death.Executions = append(death.Executions, Suspect{Entry: Entry{RunID: run, Hash: "h"}, Deaths: 1, Last: at})
		}
		known = r.After(known, death)
	}
	want := func(what string, deaths, alone int, project time.Duration, runs ...string) {
		t.Helper()
		var got []string
		for _, x := range known.Executions {
			got = append(got, x.Entry.RunID+" "+x.Until.Sub(at).String())
		}
		held := time.Duration(0)
		if known.Until.After(at) {
			held = known.Until.Sub(at)
		}
		if known.Deaths != deaths || known.Alone != alone || held != project || !slices.Equal(got, runs) {
			t.Errorf("%s: %d and %d deaths, the project waits %v, the executions %q", what, known.Deaths, known.Alone, held, got)
		}
	}
	dies(0, "c", 0)
	want("one may be anybody's", 1, 0, 0)
	dies(11*time.Minute, "c", 0)
	want("and is forgotten", 1, 0, 0)
	dies(time.Minute, "c", 0)
	want("two set it apart", 2, 0, 0)
	dies(time.Minute, "c", 1, "a", "b")
	want("those wait that were there, one for longer than the other", 2, 1, 0, "a 30s", "b 1m0s")
	dies(time.Minute, "c", 1, "a")
	want("one that does it again waits for longer", 2, 2, 0, "a 1m0s", "b 0s")
	dies(time.Minute, "c", 1, "x")
	want("where they are many the project waits", 2, 3, 30*time.Second, "a 0s", "b -1m0s", "x 30s")
	dies(time.Minute, "c", 1)
	want("and where nobody knows who it was, for longer", 2, 4, time.Minute, "a -1m0s", "b -2m0s", "x -30s")
	dies(time.Minute, "d", 0)
	want("other code starts anew, but for the executions", 1, 0, 0, "a -2m0s", "b -3m0s", "x -1m30s")
	dies(55*time.Minute, "d", 0)
	dies(time.Minute, "d", 0)
	want("which are forgotten one by one", 2, 0, 0, "a -58m0s", "x -57m30s")
}
