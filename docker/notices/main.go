// Command notices writes what the image has to say of the software within it: the notices of
// licences of all that is compiled or embedded into the service, in one text; or, with -sbom, a
// CycloneDX bill of its Go modules completed by the npm packages, which no tool for Go sees.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	out := flag.String("o", "", "the file to write")
	sbom := flag.String("sbom", "", "a CycloneDX bill in JSON to complete, instead of the notices")
	flag.Parse()
	if err := run(context.Background(), *out, *sbom); err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out, sbom string) error {
	if out == "" {
		return fmt.Errorf("-o is missing")
	}
	packages, err := npmPackages(".")
	if err != nil {
		return err
	}
	var text []byte
	if sbom != "" {
		given, err := os.ReadFile(sbom)
		if err != nil {
			return err
		}
		text, err = completed(given, packages)
		if err != nil {
			return fmt.Errorf("complete %s: %w", sbom, err)
		}
	} else {
		modules, err := goModules(ctx, ".")
		if err != nil {
			return err
		}
		ours, err := os.ReadFile("LICENSE")
		if err != nil {
			return err
		}
		text = []byte(notices(string(ours), modules, packages))
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
		return err
	}
	return os.WriteFile(out, text, 0o644)
}
