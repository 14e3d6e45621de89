package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// writeProtocol writes the names of all activation jobs and commands into dist/protocol.json: the
// tests of runtime/workflow hold their tables against them.
func writeProtocol(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "node_modules/@temporalio/proto/protos/root.d.ts"))
	if err != nil {
		return err
	}
	names := make(map[string][]string)
	for key, class := range map[string]string{"jobs": "WorkflowActivationJob", "commands": "WorkflowCommand"} {
		if names[key], err = variants(string(text), class); err != nil {
			return err
		}
	}
	out, err := json.Marshal(names)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "dist", "protocol.json"), append(out, '\n'), 0o644)
}

// variants gives the names of the oneof "variant" of a message.
func variants(text, class string) ([]string, error) {
	_, text, ok := strings.Cut(text, "class "+class+" {")
	list := regexp.MustCompile(`variant\?: \(([^)]*)\)`).FindStringSubmatch(text)
	if !ok || list == nil {
		return nil, fmt.Errorf("the protocol's declarations have no variants of %s", class)
	}
	var names []string
	for _, n := range strings.Split(list[1], "|") {
		names = append(names, strings.Trim(n, `"`))
	}
	return names, nil
}
