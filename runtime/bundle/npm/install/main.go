// Command install installs the npm packages of folders with a lock file, for the generators, which
// compile meanwhile. With -needs-npm it only tells, by exit code 0, that npm is needed for that.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sync/errgroup"

	"workflow-worker/runtime/bundle/npm"
)

func main() {
	needsNpm := flag.Bool("needs-npm", false, "only tell, by exit code 0, that npm is needed to install the packages")
	flag.Parse()
	if *needsNpm {
		for _, dir := range flag.Args() {
			if needs, err := npm.NeedsNpm(dir); err != nil || needs {
				return // what is wrong the generator says
			}
		}
		os.Exit(1) //nolint:forbidigo // as below
	}
	var group errgroup.Group
	for _, dir := range flag.Args() {
		group.Go(func() error {
			dir, err := filepath.Abs(dir)
			if err != nil {
				return err
			}
			return npm.Install(context.Background(), dir)
		})
	}
	if err := group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, "install:", err)
		os.Exit(1) //nolint:forbidigo // a program of its own, for make
	}
}
