// Package cdc notices that rows of the contract's tables changed and names the
// projects they belong to.
//
// A [Source] follows PostgreSQL's logical replication (pgoutput, a temporary slot)
// and calls its [Handler]: "look at project P", or "look at all" where a change
// can't be attributed. Beside that it passes on the messages that transactions write into
// the log under our prefix ([Messages]). That is all it says. It never hands out a row's values: what
// a project should be is read afresh by whoever is told to look.
//
// What it promises:
//
//   - When a hint arrives, a transaction begun from then on sees the change. A
//     commit reaches the stream before other sessions can see it, so every
//     transaction waits at a gate until a snapshot has it (gate.go).
//   - No change stays unnoticed: everything is looked at after each connect, every
//     [Config.ResyncInterval], and every [Config.PollInterval] while there is no
//     stream. Hints may be doubled, reordered, and name projects that don't exist.
//   - A stream that died or went silent is replaced, whatever way it ended. Where
//     replication isn't to be had, the Source polls, says why, and keeps trying.
//   - Nothing is left in the server: the slot is temporary and its position is
//     confirmed as soon as it is received, so neither our absence nor our slowness
//     holds back the server's disk or its shutdown.
//
// cdc knows tables, not workers: it must never import another package of this
// module, and never write to the database.
package cdc
