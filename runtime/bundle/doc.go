// Package bundle carries Temporal's TypeScript SDK, made ready for goja: the npm packages that
// package-lock.json pins, bundled from their TypeScript sources by esbuild, with a small entry of
// ours on top (ts/). Our entry and the packages speak Temporal's own activation protocol; the Go
// side of it is runtime/workflow.
//
// It promises: the same lock file and the same ts/ give the same bytes; the frames of a bundle are
// recognised by their file name, which begins with "<" (see runtime/sandbox); without the built
// files the program still builds, and what needs them fails with the command to run.
//
// The built files are not in git. `make bundle` (go generate) writes them: it runs `npm ci` if
// node_modules isn't of this lock file, then esbuild. To upgrade the SDK, change the version in
// package.json, run `npm install`, `make bundle` and the tests of runtime/workflow, whose fixtures
// replay histories of the version before.
//
// dist/protocol.json has the names of the protocol's jobs and commands, for the tests of
// runtime/workflow.
//
// It may import goja and runtime/language/linear; never another room of this project.
package bundle

//go:generate go run ./generate
