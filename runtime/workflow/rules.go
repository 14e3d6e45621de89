package workflow

import (
	"slices"

	"workflow-worker/runtime/language"
)

// A rule is a change of our own in what the same code and history come to, as the TypeScript SDK's
// flags are of its own. An execution keeps for good to those that its pin names: a history from
// before a rule replays as it ran. Numbers are never given anew.
type rule = int

const (
	// ruleEndLast has what an activation does after its function has returned, thrown or continued
	// as new count still, and the end goes last, as Temporal's core orders it; before, all that
	// came behind the end was dropped.
	ruleEndLast rule = 1
	// ruleEmpties takes what is empty or zero as Temporal's own worker does: an id of '' fails the
	// task and isn't made up, a deadline of zero is over at once, and a run's timeout that the
	// server gave as zero is 0 in workflowInfo(), not undefined.
	ruleEmpties rule = 2
	// ruleDates reads texts of dates as V8 does, its legacy formats too; before, some gave a time
	// that are none there, and the other way round.
	ruleDates rule = 3
	// ruleUTF8 has TextDecoder give one U+FFFD for each part of a character that isn't one, as the
	// web's standard says; before, it gave one for each byte.
	ruleUTF8 rule = 4
	// ruleBuiltins has a function that sorts an array asked as V8 asks it; before, it was asked more
	// often, and in another order: where it contradicts itself, as one of chance does, another array
	// came of it. And JSON of plain data is indented as V8 does it; before, what came behind something
	// empty was indented too far.
	ruleBuiltins rule = 5
	// ruleLocalEnds words the timeout and the cancellation of a local activity as Temporal's core
	// does; before, they read like an ordinary activity's, with the SDK's own words below.
	ruleLocalEnds rule = 6
	// ruleLocalWords takes a local activity for cancelled only if that is what it ended with, and has
	// the words it said; before, a cancellation among the causes of its failure was enough, and the
	// words were always the same.
	ruleLocalWords rule = 7
	// ruleTexts has TextDecoder leave out the mark of the byte order in UTF-16 too, unless it is to be
	// ignored, and give its errors Node's codes, and Array.prototype.toLocaleString hand its arguments
	// on to the elements.
	ruleTexts rule = 8
	// ruleZeros has a product of zero and a negative number be -0; before, most code got goja's 0.
	ruleZeros rule = 9
	// ruleThere has what was other than on Temporal's own worker for Node, on purpose or by goja's
	// making, be as there: WAIT_CANCELLATION_REQUESTED of a child waits for the child's end; a function
	// or a symbol is sent as an empty text of JSON, and doesn't fail; a failure has its own "failure"
	// before what its class adds; what JSON.stringify is told to write comes in the order that it was
	// told; an error's stack reads like V8's; and Turkish, Azeri and Lithuanian have their letters.
	ruleThere rule = 10
)

// rules are what new executions keep to.
func rules() []rule {
	return []rule{ruleEndLast, ruleEmpties, ruleDates, ruleUTF8, ruleBuiltins, ruleLocalEnds, ruleLocalWords, ruleTexts, ruleZeros, ruleThere}
}

func (d *definition) keeps(r rule) bool { return slices.Contains(d.rules, r) }

// setRules has a runtime do as the execution's rules say, now; called inside enter.
func (d *definition) setRules(v *machine) {
	v.now, v.vm.EnglishOnly = d.env.Now(), d.englishOnly
	v.vm.Former = language.Former{
		Dates: !d.keeps(ruleDates), UTF8: !d.keeps(ruleUTF8), Builtins: !d.keeps(ruleBuiltins), Texts: !d.keeps(ruleTexts), Zeros: !d.keeps(ruleZeros),
		Elsewhere: !d.keeps(ruleThere),
	}
}
