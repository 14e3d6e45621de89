// Package runtime runs projects: it compiles a project's rows, keeps one Temporal worker for it,
// and swaps new code under the running worker.
//
// It promises: a reload is one atomic change of what the worker resolves, polling never stops; an
// execution keeps the code that its history names, until its row, its code or somebody's request
// says otherwise and the other code fits its history; code that would break running executions by
// that doesn't go live; a row that doesn't compile leaves that row's last good version live and
// everything else alone.
//
// Package cell runs a Runner in child processes; nothing here knows of it.
//
// It never touches PostgreSQL: it is given code and gives back a Report, and what must be kept goes
// through a CodeStore. Below it, build turns a row's texts into a module, replay checks code on
// executions' histories, workflow and activity execute modules, compile turns text into programs,
// sandbox is the VM, bundle holds Temporal's TypeScript SDK; logkey, tracing, memory and buildid are
// leaves of the whole service. It may import those and activities, nothing else of this project.
//
// # Options
//
// An option is a field of the Config or Options of the room that uses it, and its default is that
// room's: zero means it, and the room's one withDefaults puts it in. Who hands an option on leaves it
// zero. Where a setting of the service repeats the default for people to read, the room has it as a
// constant, and a test of the program compares the two.
//
// # Words
//
// Each has one meaning here and in the rooms below.
//
//	again          that a row wants another look, though nothing changes: after a duration (Report.Again)
//	execution      one run in Temporal: replay.Execution, as rows name it; wire.RunInfo has its type too
//	gate           the replay check that new code of a row must pass before it goes live
//	kept code      the code that an execution keeps although it was to move, because of a misfit ("stayed" in events and metrics)
//	last code      which code completed an execution's last workflow task: wire.LastCode
//	live           what a project serves at this moment; the newest text of a row may be refused and not be live
//	machine        a goja runtime, loaded once, its builtins and SDK frozen, that executions use one at a time: of workflows those of all projects, of activities those of one component
//	misfit         where and why a history parts from what code would have done
//	module         one version of one row that can be run: build.Module
//	move           an execution's change to other code: asked for by somebody (Move), or because its row or code upgrades
//	note           what the compiler says of a text, with its place: compile.Note; in a Report it is a Remark
//	notified       of an activity's code: that it was given the reason why its attempt ends
//	pin            what an execution's first task records: the code that it began on, and what replays must keep to
//	reload         making a project serve what its rows say; the first one starts it
//	replay check   replaying an execution's history on other code, to see whether it fits: workflow.CheckReplay
//	stored code    text in the CodeStore, live or not, for executions that are pinned to it
package runtime
