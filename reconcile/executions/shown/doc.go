// Package shown is how rows show what Temporal has of an execution: its values, its failures and how
// a run ended.
//
// It promises that a row never gets more of a value than it takes, and no value or message that is
// to be hidden. It computes of what it is given, without a clock, a database or a server, and
// imports rows, runtime and the wire for their words alone.
package shown
