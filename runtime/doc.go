// Package runtime runs projects: it compiles a project's rows, keeps one Temporal worker for it,
// and swaps new code under the running worker.
//
// It promises: a reload is one atomic change of what the worker resolves, polling never stops; an
// execution keeps the code that its history names, until its row, its code or somebody's request
// says otherwise and the other code fits its history; code that would break running executions by
// that doesn't go live; a row that doesn't compile leaves that row's last good version live and
// everything else alone.
//
// It never touches PostgreSQL: it is given code and gives back a Report, and what must be kept goes
// through a CodeStore. Below it, compile turns text into programs, replay tries code on executions,
// workflow and activity execute programs, sandbox is what both share, bundle holds Temporal's
// TypeScript SDK; logkey, memory and buildid are leaves of the whole service. It may import those
// and activities, nothing else of this project.
//
// # Words
//
// Each has one meaning here and in the rooms below.
//
//	again          when a row wants another look, as a duration from now (Report.Again)
//	execution      one run in Temporal; wire.Execution has its type too, replay.Execution is the pair of ids that rows hold
//	gate           the replay check that new code of a row must pass before it goes live
//	kept code      the stored text of code that isn't live, for executions that are pinned to it
//	last code      which code completed an execution's last workflow task: wire.LastCode
//	live           what a project serves at this moment; the newest text of a row may be refused and not be live
//	misfit         where and why a history parts from what code would have done
//	module         one version of one row that can be run
//	move           an execution's change to other code: told by somebody (Move), or because its row or code upgrades
//	pin            what an execution's first task records: the code that it began on, and what replays must keep to
//	replay check   replaying an execution's history on other code, to see whether it fits
//	stay           an execution that was to move and keeps its code, because of a misfit
package runtime
