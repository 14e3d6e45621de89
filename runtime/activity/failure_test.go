package activity

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	failurepb "go.temporal.io/api/failure/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"workflow-worker/runtime/sandbox"
)

// failureOf is what Temporal's server would be sent.
func failureOf(t *testing.T, err error) *failurepb.Failure {
	t.Helper()
	if err == nil {
		t.Fatal("no failure")
	}
	return temporal.GetDefaultFailureConverter().ErrorToFailure(err)
}

func TestThrownValuesBecomeTheFailuresOfTemporalsOwnWorker(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body          string
		errType, text string
		nonRetryable  bool
	}{
		"error":                 {`throw new Error('boom')`, "Error", "boom", false},
		"subclass":              {`class CardDeclined extends Error {}; throw new CardDeclined('no')`, "CardDeclined", "no", false},
		"name is not the type":  {`const e = new Error('x'); e.name = 'Other'; throw e`, "Error", "x", false},
		"built-in":              {`const o: any = undefined; return o.x`, "TypeError", "Cannot read properties of undefined (reading 'x')", false},
		"string":                {`throw 'text'`, "", "text", false},
		"undefined":             {`throw undefined`, "", "undefined", false},
		"object":                {`throw {message: 'm', code: 5}`, "Object", "m", false},
		"empty message":         {`throw new RangeError()`, "RangeError", "RangeError", false},
		"rejection":             {`await Promise.reject(new SyntaxError('s'))`, "SyntaxError", "s", false},
		"application failure":   {`const {ApplicationFailure} = require('@temporalio/common'); throw new ApplicationFailure('m', 'T')`, "T", "m", false},
		"non-retryable":         {`const {ApplicationFailure} = require('@temporalio/activity'); throw ApplicationFailure.nonRetryable('m', 'T')`, "T", "m", true},
		"unasked cancellation":  {`const {CancelledFailure} = require('@temporalio/common'); throw new CancelledFailure('c')`, "CancelledFailure", "c", false},
		"in a timer's callback": {`setTimeout(() => { throw new EvalError('late') }, 1); await new Promise(() => {})`, "EvalError", "late", false},
		"deep recursion":        {`const f = () => 1 + f(); return f()`, "RangeError", "Maximum call stack size exceeded", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := execute(t, code(t, `declare const require: any; export async function main() {`+c.body+`}`, CodeOptions{}))
			app := wantApplication(t, err, c.errType, c.nonRetryable)
			if app.Message() != c.text {
				t.Errorf("got message %q, want %q", app.Message(), c.text)
			}
			if f := failureOf(t, err); f.GetSource() != "TypeScriptSDK" {
				t.Errorf("the source is %q", f.GetSource())
			}
		})
	}
}

// The SDK asks errors.As of causes, too, and would take the failure for a cancellation or a timeout.
func TestAFailureIsNotWhatCausedIt(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ cause, want string }{
		"cancellation": {`new CancelledFailure('c')`, "*failure.Failure_CanceledFailureInfo"},
		"timeout":      {`new TimeoutFailure('t', undefined, 'SCHEDULE_TO_CLOSE')`, "*failure.Failure_TimeoutFailureInfo"},
		"activity":     {`new ActivityFailure('a', 'work', '7', 'TIMEOUT', 'me')`, "*failure.Failure_ActivityFailureInfo"},
		"child":        {`new ChildWorkflowFailure('space', { workflowId: 'w', runId: 'r' }, 'kind', 'TIMEOUT')`, "*failure.Failure_ChildWorkflowExecutionFailureInfo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := execute(t, code(t, `import { ActivityFailure, ApplicationFailure, CancelledFailure, ChildWorkflowFailure, TimeoutFailure } from '@temporalio/common';
export async function main() { throw ApplicationFailure.create({ message: 'm', type: 'T', cause: `+c.cause+` as any }); }`, CodeOptions{}))
			if app := wantApplication(t, err, "T", false); app.Unwrap() != nil {
				t.Errorf("the SDK sees %v", app.Unwrap())
			}
			cause := failureOf(t, err).GetCause()
			if got := fmt.Sprintf("%T", cause.GetFailureInfo()); got != c.want {
				t.Errorf("its cause is a %s: %v", got, cause)
			}
			if i := cause.GetActivityFailureInfo(); i != nil && (i.GetActivityType().GetName() != "work" || i.GetActivityId() != "7" || i.GetRetryState() == 0) {
				t.Error(i)
			}
			if i := cause.GetChildWorkflowExecutionFailureInfo(); i != nil && (i.GetWorkflowType().GetName() != "kind" || i.GetWorkflowExecution().GetWorkflowId() != "w" || i.GetRetryState() == 0) {
				t.Error(i)
			}
		})
	}
}

func TestCodeThatBreaksTheBuiltinsIsStillQuoted(t *testing.T) {
	t.Parallel()
	_, err := evaluate(t, CodeOptions{}, `(Object.prototype as any).get = 1; Object.keys = Object.entries = Object.defineProperty = (() => { throw new Error('tampered') }) as any;
		throw new RangeError('too far')`)
	app := wantApplication(t, err, "Error", false)
	if app.Message() != "too far" || !strings.Contains(failureOf(t, err).GetStackTrace(), "charge-card.ts:3:") {
		t.Errorf("got %q, %s", app.Message(), failureOf(t, err).GetStackTrace())
	}
}

func TestApplicationFailureKeepsAllItsFields(t *testing.T) {
	t.Parallel()
	_, err := execute(t, code(t, `
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
export async function main() {
  const cause = new TypeError('inner', { cause: ApplicationFailure.nonRetryable('innermost', 'Deep', 1) });
  throw ApplicationFailure.create({ message: 'outer', type: 'Outer', nonRetryable: true, details: [{ a: 1 }, undefined, 'x'],
    nextRetryDelay: '1500ms', cause, category: ApplicationFailureCategory.BENIGN });
}`, CodeOptions{}))
	app := wantApplication(t, err, "Outer", true)
	if app.NextRetryDelay() != 1500*time.Millisecond || app.Category() != temporal.ApplicationErrorCategoryBenign {
		t.Errorf("got next retry delay %v, category %v", app.NextRetryDelay(), app.Category())
	}
	var first struct{ A int }
	var second any
	var third string
	if err := app.Details(&first, &second, &third); err != nil || first.A != 1 || second != nil || third != "x" {
		t.Errorf("got details %v %v %v, %v", first, second, third, err)
	}
	f := failureOf(t, err)
	if c := f.GetCause(); c.GetMessage() != "inner" || c.GetFailureInfo() != nil || c.GetCause().GetMessage() != "innermost" ||
		c.GetCause().GetApplicationFailureInfo().GetType() != "Deep" || !c.GetCause().GetApplicationFailureInfo().GetNonRetryable() {
		t.Errorf("got cause %v", f.GetCause())
	}
}

func TestStacksShowTheAuthorsLinesAlone(t *testing.T) {
	t.Parallel()
	_, err := execute(t, code(t, `import { ApplicationFailure } from '@temporalio/common';

interface Card { number: string }

async function charge(card: Card): Promise<void> {
  await Promise.resolve();
  throw ApplicationFailure.create({ message: 'no', cause: inner(card) });
}

const inner = (card: Card) => new Error('inner ' + card.number);

export async function main(): Promise<void> {
  await charge({ number: '1' });
}
`, CodeOptions{}))
	f := failureOf(t, err)
	if got := f.GetStackTrace(); !regexp.MustCompile(`^ApplicationFailure: no\n    at charge \(charge-card\.ts:7:\d+\)\n    at main \(charge-card\.ts:13:\d+\)$`).MatchString(got) {
		t.Errorf("got %q", got)
	}
	if got := f.GetCause().GetStackTrace(); !strings.Contains(got, "at inner (charge-card.ts:10:") || !strings.Contains(got, "at charge (charge-card.ts:7:") {
		t.Errorf("the cause's stack is %q", got)
	}
	for _, s := range []string{f.GetStackTrace(), f.GetCause().GetStackTrace()} {
		if strings.Contains(s, "<") || strings.Contains(s, "native") || strings.Contains(s, ".go") {
			t.Errorf("the stack shows more than the author's code: %q", s)
		}
	}
}

func TestCompletionBySomebodyElseIsLeftOpen(t *testing.T) {
	t.Parallel()
	_, err := execute(t, code(t, `
import { CompleteAsyncError } from '@temporalio/activity';
export async function main() { throw new CompleteAsyncError() }`, CodeOptions{}))
	if !errors.Is(err, activity.ErrResultPending) {
		t.Errorf("got %v", err)
	}
}

func TestModuleThatThrowsIsReportedWithItsPlace(t *testing.T) {
	t.Parallel()
	c := code(t, "const config: any = undefined;\n\nexport const main = () => 1;\nexport const key = config.key;\n", CodeOptions{})
	_, err := c.Check(t.Context())
	var thrown *sandbox.Thrown
	if !errors.As(err, &thrown) || thrown.File != "charge-card.ts" || thrown.Line != 4 || !strings.HasPrefix(thrown.Message, "TypeError: ") {
		t.Errorf("got %+v (%T)", err, err)
	}
	_, err = execute(t, c)
	app := wantApplication(t, err, LoadErrorType, true)
	if !strings.Contains(app.Message(), "charge-card.ts:4:") {
		t.Errorf("the failure doesn't name the place: %s", app.Message())
	}
}

func TestCheckNamesTheFunctions(t *testing.T) {
	t.Parallel()
	names, err := code(t, `
import { heartbeat } from '@temporalio/activity';
export default async function () { heartbeat() }
export const a = () => 1, b = 2;
export class C {}
export function d() {}
export type T = string;`, CodeOptions{}).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(names); got != "[a d default]" && got != "[default a d]" {
		t.Errorf("got %s", got)
	}
}

func TestUnknownModulesAreNamed(t *testing.T) {
	t.Parallel()
	_, err := code(t, `declare const require: any; const name = ["f", "s"].join(""), x = require(name); export const main = () => 1`, CodeOptions{}).Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), `"fs"`) || !strings.Contains(err.Error(), "there are no files") {
		t.Errorf("got %v", err)
	}
}
