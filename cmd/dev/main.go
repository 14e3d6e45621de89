// Command dev is `make dev`: PostgreSQL with logical replication, a Temporal dev
// server with its web UI, the migrations and the service itself, on this machine
// and without Docker. Ctrl-C stops all that it started; the data stays in .local
// until `make clean`, which calls it with -clean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"workflow-worker/cmd/dev/term"
	"workflow-worker/docker/stack"
)

func init() { stack.EndWithParent() }

func main() {
	clean := flag.Bool("clean", false, "remove the data instead")
	build := flag.String("build", "", "the command that builds the service, run while the servers start")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// A second signal ends us at once; the kernel then ends what we started.
	context.AfterFunc(ctx, stop)

	d, err := newDev()
	switch {
	case err != nil:
	case *clean:
		err = d.clean()
	default:
		d.build = strings.Fields(*build)
		err = d.run(ctx)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "\n%s %v\n", term.Bold("make dev:"), err)
		os.Exit(1)
	}
}

// dev is one stack in one checkout.
type dev struct {
	root  string   // the checkout
	local string   // where its data and logs lie
	build []string // the command that builds the service; empty: it is built
}

func newDev() (*dev, error) {
	root, err := stack.Root()
	if err != nil {
		return nil, err
	}
	d := &dev{root: root, local: filepath.Join(root, ".local")}
	return d, os.MkdirAll(d.local, 0o755)
}

func (d *dev) file(name string) string { return filepath.Join(d.local, name) }

// lock keeps a second `make dev`, and `make clean`, off the data in use.
func (d *dev) lock() (*os.File, error) {
	lock, err := stack.LockFile(d.file("dev.lock"))
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return nil, errors.New("it already runs in this checkout: stop that one first (Ctrl-C in its terminal)")
	}
	return lock, err
}

// clean removes PostgreSQL's data, which may lie elsewhere; the Makefile removes
// the rest of .local.
func (d *dev) clean() error {
	lock, err := d.lock()
	if err != nil {
		return err
	}
	defer lock.Close()
	return stack.RemoveData(d.file("postgres"))
}

func (d *dev) run(ctx context.Context) (err error) {
	lock, err := d.lock()
	if err != nil {
		return err
	}
	defer lock.Close()

	s := &servers{dev: d}
	defer func() { err = errors.Join(err, s.stop(context.WithoutCancel(ctx))) }()
	if err := s.start(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // somebody asked to stop
		}
		return err
	}
	if err := s.tellAddresses(); err != nil {
		return err
	}
	s.printAddresses()
	s.log.release()
	return s.wait(ctx)
}
