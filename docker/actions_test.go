package docker_test

import (
	"os"
	"os/exec"
	"testing"
)

// actionsLinter checks GitHub's workflow files: their schema, expressions and the inputs of actions.
const actionsLinter = "github.com/rhysd/actionlint/cmd/actionlint@v1.7.7"

func TestTheActionsWorkflowIsOneThatGitHubTakes(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "go", "run", actionsLinter, "../.github/workflows/ci.yaml")
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}
