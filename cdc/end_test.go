package cdc_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"workflow-worker/cdc"
	"workflow-worker/docker/stack/stacktest"
	"workflow-worker/migrations"
)

const followEnv = "CDC_TEST_FOLLOW"

// followUntilKilled is the other process of TestNoSlotOutlivesAKilledProcess.
func followUntilKilled(url string) {
	source, err := cdc.New(cdc.Config{
		DatabaseURL: url, Publications: []string{migrations.Publication, migrations.RequestsPublication},
		Handler: silent{}, Observer: silent{},
	})
	if err == nil {
		err = source.Run(context.Background())
	}
	fmt.Println(err)
}

type silent struct{}

func (silent) LookAt(string, cdc.Commit)       {}
func (silent) LookAtAll(string)                {}
func (silent) StreamState(mode, reason string) { fmt.Println(mode, reason) }
func (silent) StreamReceived(time.Time)        {}
func (silent) StreamLag(time.Duration)         {}
func (silent) HintDelivered(int)               {}

func TestNoSlotOutlivesAKilledProcess(t *testing.T) {
	t.Parallel()
	url := stacktest.MigratedDatabase(t)
	db := open(t, url)
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), followEnv+"="+url)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() && !strings.HasPrefix(lines.Text(), cdc.ModeStreaming) {
		t.Log(lines.Text())
	}
	streamed := db.holds(`SELECT count(*) = 1 FROM pg_replication_slots WHERE database = current_database() AND temporary`)
	if err := cmd.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait() // it says that it was killed
	if !streamed {
		t.Fatal("it didn't stream")
	}
	db.await("no slot is left", noSlots)
}

// TestRunLeavesNothingBehind is not parallel: goroutines of other tests would count.
func TestRunLeavesNothingBehind(t *testing.T) {
	url := stacktest.MigratedDatabase(t)
	unanswered, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer unanswered.Close()
	for name, prepare := range map[string]func(c *cdc.Config, r *recorder) (ready func() bool){
		"streaming": func(_ *cdc.Config, r *recorder) func() bool { return r.is(cdc.ModeStreaming) },
		"polling, nobody there": func(c *cdc.Config, r *recorder) func() bool {
			c.DatabaseURL = "postgres://u:secret@127.0.0.1:1/none?sslmode=disable"
			return r.is(cdc.ModePolling)
		},
		"connecting to somebody who doesn't answer": func(c *cdc.Config, r *recorder) func() bool {
			c.DatabaseURL = "postgres://u:secret@" + unanswered.Addr().String() + "/none?sslmode=disable"
			return r.is(cdc.ModeConnecting)
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			r := newRecorder()
			c := config(t, url, r)
			ready := prepare(&c, r)
			stop := run(t, c)
			r.await(t, name, ready)
			stop()
			// By a connection that is closed before goroutines are counted: pgx reads ahead on one
			// whose server is slow.
			db := open(t, url)
			if !db.holds(noSlots) {
				t.Error("a slot is left")
			}
			if err := db.conn.Close(t.Context()); err != nil {
				t.Error(err)
			}
			goleak.VerifyNone(t, before)
			if strings.Contains(r.String(), "secret") {
				t.Errorf("the password shows: %s", r)
			}
		})
	}
}

func TestRunRunsOnce(t *testing.T) {
	t.Parallel()
	source, err := cdc.New(config(t, "postgres://127.0.0.1:1/none", newRecorder()))
	if err != nil {
		t.Fatal(err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := source.Run(ended); err != nil {
		t.Error(err)
	}
	if err := source.Run(ended); err == nil {
		t.Error("ran twice")
	}
}
