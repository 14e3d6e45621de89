// Command release fetches Temporal's CLI, as it was released, by the Go SDK's own downloader.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/testsuite"
)

func main() {
	version := flag.String("version", "", "the CLI's")
	dir := flag.String("dir", "", "where it is put, as temporal-cli-VERSION")
	flag.Parse()
	// It only offers to start a server, too. An address that can't be one ends it in between.
	_, err := testsuite.StartDevServer(context.Background(), testsuite.DevServerOptions{
		CachedDownload: testsuite.CachedDownload{Version: *version, DestDir: *dir},
		ClientOptions:  &client.Options{HostPort: "none", Logger: silent{}},
	})
	if _, missing := os.Stat(filepath.Join(*dir, "temporal-cli-"+*version)); missing != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// silent is the downloader's logger: what goes wrong it returns.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}
