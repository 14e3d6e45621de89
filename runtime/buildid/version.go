package buildid

import "runtime/debug"

// What the build says (go build -ldflags "-X workflow-worker/runtime/buildid.version=… -X
// workflow-worker/runtime/buildid.revision=…"); "" where it doesn't.
var version, revision string

// unknown is what is said of a build that nobody told.
const unknown = "unknown"

// Version is the release, or what is nearest to one: what the build says, else the module's
// version, else "dev".
func Version() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

// Revision is the commit that the program was built from, "unknown" if nobody said.
func Revision() string {
	if revision != "" {
		return revision
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return unknown
	}
	found, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			found = s.Value
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "-dirty"
		}
	}
	if found == "" {
		return unknown
	}
	return found + changed
}
