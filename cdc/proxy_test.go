package cdc_test

import (
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgproto3"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
)

// proxy stands between us and the server.
type proxy struct {
	url     string // leads through it
	server  string // host:port behind it
	startup func(*pgproto3.StartupMessage) *pgproto3.ErrorResponse

	deaf atomic.Bool // what clients say is swallowed

	mu    sync.Mutex // guards what follows
	down  bool
	conns map[net.Conn]bool
	done  sync.WaitGroup
}

func newProxy(t *testing.T, target string, startup func(*pgproto3.StartupMessage) *pgproto3.ErrorResponse) *proxy {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{server: u.Host, startup: startup, conns: map[net.Conn]bool{}}
	u.Host = listener.Addr().String()
	p.url = u.String()
	p.done.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			p.done.Go(func() { p.serve(client) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		p.cut()
		p.done.Wait()
	})
	return p
}

// cut ends all connections and refuses new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = true
	for conn := range p.conns {
		_ = conn.Close()
	}
}

func (p *proxy) mend() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
}

// hold registers a connection for cut; false means that it has to go at once.
func (p *proxy) hold(conn net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns[conn] = true
	return !p.down
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	if !p.hold(client) {
		return
	}
	backend := pgproto3.NewBackend(client, client)
	message, err := backend.ReceiveStartupMessage()
	if err != nil {
		return
	}
	if m, ok := message.(*pgproto3.StartupMessage); ok && p.startup != nil {
		if refusal := p.startup(m); refusal != nil {
			backend.Send(refusal)
			_ = backend.Flush()
			return
		}
	}
	server, err := net.Dial("tcp", p.server)
	if err != nil {
		return
	}
	defer server.Close()
	if !p.hold(server) {
		return
	}
	start, err := message.Encode(nil)
	if err != nil {
		return
	}
	if _, err := server.Write(start); err != nil {
		return
	}
	p.done.Go(func() {
		_, _ = io.Copy(client, server)
		_ = client.Close()
	})
	_, _ = io.Copy(ear{server, &p.deaf}, client)
}

// ear hears nothing while it is deaf.
type ear struct {
	io.Writer
	deaf *atomic.Bool
}

func (e ear) Write(b []byte) (int, error) {
	if e.deaf.Load() {
		return len(b), nil
	}
	return e.Writer.Write(b)
}

func TestPollsBehindAPooler(t *testing.T) {
	t.Parallel()
	for name, startup := range map[string]func(*pgproto3.StartupMessage) *pgproto3.ErrorResponse{
		"that refuses replication": func(m *pgproto3.StartupMessage) *pgproto3.ErrorResponse {
			if m.Parameters["replication"] == "" {
				return nil
			}
			return &pgproto3.ErrorResponse{Severity: "FATAL", Code: "08P01", Message: "unsupported startup parameter: replication"}
		},
		"that makes an ordinary session of it": func(m *pgproto3.StartupMessage) *pgproto3.ErrorResponse {
			delete(m.Parameters, "replication")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := stacktest.MigratedDatabase(t)
			pooler := newProxy(t, direct, startup)
			r := newRecorder()
			stop := run(t, pollingConfig(t, pooler.url, r))
			polls(t, r, cdc.ReasonPooler)
			stop()

			// The way out: reads through the pooler, the stream directly.
			r = newRecorder()
			c := config(t, pooler.url, r)
			c.ReplicationURL = direct
			follow(t, c, r)
			r.await(t, "hint", r.looked(open(t, direct).project()))
		})
	}
}

func TestNoHintIsLostWhileNothingCanBeRead(t *testing.T) {
	t.Parallel()
	for name, maxWaiting := range map[string]int{"remembered one by one": 0, "too many to remember": 10} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			direct := stacktest.MigratedDatabase(t)
			db := open(t, direct)
			reads := newProxy(t, direct, nil)
			r := newRecorder()
			c := config(t, reads.url, r)
			c.ReplicationURL, c.MaxWaiting, c.PollInterval = direct, maxWaiting, 20*time.Millisecond
			follow(t, c, r)

			reads.cut()
			ids := make([]string, 40)
			for i := range ids {
				ids[i] = db.project()
			}
			polls(t, r, cdc.ReasonUnreadable)
			r.note(func() {
				if len(r.projects) > 0 {
					t.Errorf("hints without knowing what is visible: %v", r.projects)
				}
			})
			reads.mend()
			r.await(t, "streaming", r.is(cdc.ModeStreaming))
			if maxWaiting == 0 {
				r.await(t, "all hints", r.looked(ids...))
			} else {
				r.await(t, "a look at all instead", r.lookedAtAll("too many transactions waiting"))
			}
			r.await(t, "hint", r.looked(db.project()))
		})
	}
}

// TestReadThatHangsIsTriedAgain has the reads swallowed, with the connection open.
func TestReadThatHangsIsTriedAgain(t *testing.T) {
	t.Parallel()
	direct := stacktest.MigratedDatabase(t)
	reads := newProxy(t, direct, nil)
	r := newRecorder()
	c := config(t, reads.url, r)
	c.ReplicationURL, c.LookTimeout = direct, 200*time.Millisecond
	follow(t, c, r)
	reads.deaf.Store(true)
	project := open(t, direct).project()
	r.await(t, "nothing can be read", r.is(cdc.ModePolling+" "+cdc.ReasonUnreadable+":"))
	reads.deaf.Store(false)
	r.await(t, "hint", r.looked(project))
	r.await(t, "streaming", r.is(cdc.ModeStreaming))
}
