package cdc

import (
	"context"
	"io"
	"net"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"
)

// closeWait bounds the wait for the server's part of closing a connection. A server
// that is well needs milliseconds.
const closeWait = 2 * time.Second

// dialer finds a dead peer within a minute and a half where nothing else does. It
// doesn't find a stalled one: its kernel still answers.
func dialer() *net.Dialer {
	return &net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: 15 * time.Second, Interval: 15 * time.Second, Count: 5,
	}}
}

// closeConn ends a connection and waits until the server has closed its end, which
// it does when the session's temporary slot is gone; at most for the time given.
func closeConn(conn *pgconn.PgConn, wait time.Duration) {
	raw := conn.Conn()
	if !conn.IsClosed() {
		if raw.SetDeadline(time.Now().Add(wait)) == nil && wait > 0 {
			conn.Frontend().Send(&pgproto3.Terminate{})
			if conn.Frontend().Flush() == nil {
				_, _ = io.Copy(io.Discard, raw)
			}
		}
		_ = conn.Close(context.Background()) // says farewell in vain, and closes
	}
	// After a failure pgconn says farewell by itself, in a goroutine, for up to 15 s.
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-conn.CleanupDone():
	case <-timer.C:
		_ = raw.Close()
	}
}
