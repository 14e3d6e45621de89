// Package docker_test proves what can be proven about the image and the compose
// file on a machine without Docker: it runs the Dockerfile's steps, runs what they
// made as the image's user in the image's file system, and has the compose file
// checked by the Compose project's own parser.
//
// What it can't prove: that the base images exist and have what their steps call,
// and what Docker itself does (networks, volumes, restarts).
package docker_test

import (
	"testing"

	"workflow-worker/docker/stack/stacktest"
)

func TestMain(m *testing.M) { stacktest.MainOfWaiting(m) }
