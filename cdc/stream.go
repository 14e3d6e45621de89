package cdc

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pglogrepl"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// maxUnanswered asks for a reply, and the connection is given up. A stalled sender
// shows no error, takes what we write, and its kernel answers TCP's keepalives.
const maxUnanswered = 3

var errStalled = because(ReasonStalled, "no byte from the server after %d asks for a reply", maxUnanswered)

// stream reads one replication connection. It belongs to one goroutine.
type stream struct {
	conn     *pgconn.PgConn
	ping     time.Duration // silence after which to ask for a reply
	add      func(transaction)
	warned   func() // the server warns of something; nil if nobody minds
	observer Observer

	position   pglogrepl.LSN // received so far
	unanswered int
	relations  relations
	current    *transaction // being received; nil between two
}

func newStream(conn *pgconn.PgConn, from pglogrepl.LSN, ping time.Duration, add func(transaction), o Observer) *stream {
	return &stream{conn: conn, ping: ping, add: add, observer: o, position: from, relations: relations{}}
}

// receive hands on transactions until the stream ends, by whatever name.
func (st *stream) receive(ctx context.Context) error {
	// Deadlines on the socket instead of a context for each message: the same
	// interruption at a tenth of the cost, and a message read in part isn't lost.
	raw := st.conn.Conn()
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = raw.SetReadDeadline(time.Unix(1, 0))
	})
	defer func() {
		if !stop() {
			<-interrupted // so that it can't spoil the farewell's deadline
		}
	}()
	for {
		if err := raw.SetReadDeadline(time.Now().Add(st.ping)); err != nil {
			return fmt.Errorf("read stream: %w", err)
		}
		if ctx.Err() != nil { // after the deadline: the interruption may have come before it
			return context.Cause(ctx)
		}
		message, err := st.conn.ReceiveMessage(context.Background())
		switch {
		case err == nil:
			err = st.heard(message)
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case pgconn.Timeout(err):
			err = st.silence()
		default:
			err = fmt.Errorf("read stream: %w", err)
		}
		if err != nil {
			return err
		}
	}
}

// silence asks whether anybody is there.
func (st *stream) silence() error {
	if st.unanswered == maxUnanswered {
		return errStalled
	}
	st.unanswered++
	return st.confirm(true)
}

func (st *stream) heard(message pgproto3.BackendMessage) error {
	now := time.Now()
	st.unanswered = 0
	st.observer.StreamReceived(now)
	switch m := message.(type) {
	case *pgproto3.CopyData:
		return st.data(m.Data, now)
	case *pgproto3.NoticeResponse:
		// A publication that isn't there any more is worth a warning, since 18.
		if m.SeverityUnlocalized == "WARNING" && st.warned != nil {
			st.warned()
		}
		return nil
	case *pgproto3.ParameterStatus:
		return nil
	case *pgproto3.ErrorResponse:
		return fmt.Errorf("stream ended: %w", pgconn.ErrorResponseToPgError(m))
	default: // CopyDone, CommandComplete, or what nobody has thought of
		return because(ReasonEnded, "stream ended by %T", message)
	}
}

func (st *stream) data(data []byte, now time.Time) error {
	if len(data) == 0 {
		return errors.New("stream: empty message")
	}
	switch data[0] {
	case pglogrepl.PrimaryKeepaliveMessageByteID:
		alive, err := pglogrepl.ParsePrimaryKeepaliveMessage(data[1:])
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		// Between transactions this is all that there was, also of other databases'
		// log, which an idle one would hold back otherwise.
		if st.current == nil {
			st.position = max(st.position, alive.ServerWALEnd)
		}
		return st.confirm(false)
	case pglogrepl.XLogDataByteID:
		log, err := pglogrepl.ParseXLogData(data[1:])
		if err != nil {
			return fmt.Errorf("stream: %w", err)
		}
		return st.change(log, now)
	default:
		return fmt.Errorf("stream: unexpected message %q", data[0])
	}
}

func (st *stream) change(log pglogrepl.XLogData, now time.Time) error {
	message, err := decode(log.WALData)
	if err != nil {
		return fmt.Errorf("stream: %w", err)
	}
	switch m := message.(type) {
	case *pglogrepl.BeginMessage:
		st.current = &transaction{xid: m.Xid}
	case *pglogrepl.CommitMessage:
		if st.current == nil {
			return errors.New("stream: commit without begin")
		}
		// The server's clock may differ from ours; both of these are its own.
		st.current.commit = Commit{At: now.Add(-log.ServerTime.Sub(m.CommitTime)), LSN: m.CommitLSN}
		if !st.current.changes.empty() {
			st.add(*st.current)
		}
		st.current = nil
		st.position = max(st.position, m.TransactionEndLSN)
		return st.confirm(false)
	default:
		if m, ok := message.(*pglogrepl.LogicalDecodingMessage); ok && !m.Transactional {
			return nil // nobody of ours writes such
		}
		if st.current == nil {
			return fmt.Errorf("stream: %s outside a transaction", message.Type())
		}
		st.relations.note(message, &st.current.changes)
	}
	return nil
}

// confirm says that all was received, as soon as it was: what hints are for is read
// from the tables, so the server need keep nothing for us. A reader that doesn't
// confirm makes its fast shutdown hang; and where our connection happens to count as
// a synchronous standby, commits wait for this.
func (st *stream) confirm(replyRequested bool) error {
	if err := st.conn.Conn().SetWriteDeadline(time.Now().Add((maxUnanswered + 1) * st.ping)); err != nil {
		return fmt.Errorf("confirm position: %w", err)
	}
	err := pglogrepl.SendStandbyStatusUpdate(context.Background(), st.conn,
		pglogrepl.StandbyStatusUpdate{WALWritePosition: st.position, ReplyRequested: replyRequested})
	if err != nil {
		return fmt.Errorf("confirm position: %w", err)
	}
	return nil
}

// decode reads one message of pgoutput. pglogrepl's decoders index without looking
// at the length first.
func decode(data []byte) (message pglogrepl.Message, err error) {
	defer func() {
		if broken := recover(); broken != nil {
			err = fmt.Errorf("malformed message: %v", broken)
		}
	}()
	return pglogrepl.Parse(data)
}
