package runtime

import (
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.Main(m) }
