// Package runtime runs projects: it compiles a project's rows, keeps one Temporal worker for it, and swaps new code under
// the running worker.
//
// It promises: a reload is one atomic change of what the worker resolves, polling never stops; an execution keeps the code
// that its history names, until its row, its code or somebody's request says otherwise and the other code fits its history; code
// that would break running executions by that doesn't go live; a row that doesn't compile leaves that row's last good version live and everything else alone.
//
// It never touches PostgreSQL: it is given code and gives back a Report, and what must be kept goes through a CodeStore.
// Below it, compile turns text into programs, workflow and activity execute them, sandbox is what both share, bundle holds
// Temporal's TypeScript SDK. It may import those and activities, nothing else of this project.
package runtime
