package cdc

import (
	"context"
	"errors"
	"fmt"
	"net"

	"github.com/jackc/pgx/v5/pgconn"
)

// Names of the reasons for polling, bounded in number so that a metric can carry
// them. [Observer.StreamState] has the name, a colon, and a text for people.
const (
	ReasonWALLevel         = "wal_level"         // logical decoding is off
	ReasonStandby          = "standby"           // not the primary
	ReasonServerVersion    = "server_version"    // older than PostgreSQL 15
	ReasonNoRight          = "no_right"          // the role may not replicate
	ReasonNoSlot           = "no_slot"           // max_replication_slots reached
	ReasonNoSender         = "no_sender"         // max_wal_senders or max_connections reached
	ReasonPooler           = "pooler"            // the connection isn't a direct one
	ReasonPublication      = "publication"       // missing or incomplete
	ReasonOpenTransactions = "open_transactions" // the slot waits for other sessions' transactions
	ReasonRefused          = "refused"           // authentication, pg_hba.conf
	ReasonUnavailable      = "unavailable"       // server starting, stopping, or out of reach
	ReasonStalled          = "stalled"           // connected, but silent
	ReasonEnded            = "ended"             // the stream ended otherwise
	ReasonUnreadable       = "unreadable"        // streaming, but nothing can be read to follow it
)

// Reasons are the names of all of them.
func Reasons() []string {
	return []string{
		ReasonWALLevel, ReasonStandby, ReasonServerVersion, ReasonNoRight, ReasonNoSlot, ReasonNoSender, ReasonPooler,
		ReasonPublication, ReasonOpenTransactions, ReasonRefused, ReasonUnavailable, ReasonStalled, ReasonEnded, ReasonUnreadable,
	}
}

// reasonError is an error with the name of its reason.
type reasonError struct {
	name string
	err  error
}

func (e *reasonError) Error() string { return e.err.Error() }
func (e *reasonError) Unwrap() error { return e.err }

func because(name, format string, args ...any) error {
	return &reasonError{name: name, err: fmt.Errorf(format, args...)}
}

// reasonOf names the reason in an error that ended an attempt to stream, and gives
// the text with what to do about it.
func reasonOf(err error) (name, text string) {
	if named, ok := errors.AsType[*reasonError](err); ok {
		return named.name, named.Error()
	}
	if refusal, ok := errors.AsType[*pgconn.PgError](err); ok {
		name, advice := reasonOfCode(refusal)
		if text = err.Error(); advice != "" {
			text = advice + ": " + text
		}
		return name, text
	}
	if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, context.DeadlineExceeded) {
		return ReasonUnavailable, err.Error()
	}
	return ReasonEnded, err.Error()
}

// reasonOfCode reads SQLSTATEs as they mean in a replication connection.
func reasonOfCode(refusal *pgconn.PgError) (name, advice string) {
	switch refusal.Code {
	case "42501":
		return ReasonNoRight, "the role needs the REPLICATION attribute (ALTER ROLE … REPLICATION)"
	case "53400", "55000": // all are taken; there are none
		return ReasonNoSlot, "raise max_replication_slots"
	case "53300":
		return ReasonNoSender, "raise max_wal_senders or max_connections"
	case "08P01":
		// The only settings we send at the start that PostgreSQL itself could mind.
		return ReasonPooler, "the URL for replication must lead to PostgreSQL directly"
	case "55P03":
		return ReasonOpenTransactions, "other sessions' open transactions hold up the slot"
	case "42704":
		return ReasonPublication, "run the migrations"
	case "28000", "28P01", "3D000":
		return ReasonRefused, ""
	case "57P01", "57P02", "57P03":
		return ReasonUnavailable, ""
	}
	return ReasonEnded, ""
}
