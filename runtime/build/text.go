package build

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"

	"workflow-worker/runtime/bundle"
	"workflow-worker/runtime/compile"
)

// The values of Text.Kind.
const (
	KindWorkflow  = "workflow"
	KindComponent = "component"
)

// Text is what one version of a row says. It has the fields of runtime.StoredModule, in its order:
// the one converts into the other, and the compiler of Go compares them.
type Text struct {
	// Hash is what executions are pinned to. "" for a text that isn't stored yet: it gets one by
	// being built.
	Hash string
	// Kind is KindWorkflow or KindComponent.
	Kind string
	// WorkflowID is the workflows.id of a workflow row; "" for a component.
	WorkflowID string
	// Name is the row's own: the workflow type, or the activity type, that its main function
	// serves.
	Name string
	// Version is the row's, for people; "" for a component.
	Version string
	// Code is TypeScript or JavaScript. ActivitiesCode is so too: what a workflow row has beside
	// its workflows; "" if nothing.
	Code, ActivitiesCode string
	// Packages and ActivitiesPackages are the hashes of the npm packages that Code and
	// ActivitiesCode are to run with; "" for those that they import now, or none.
	Packages, ActivitiesPackages string
	// CompilerSettings is the version of the compiler's settings for a stored text, "" for the
	// first ones. SDK is for people: the version of Temporal's TypeScript SDK when it was stored.
	CompilerSettings, SDK string
}

// Settings is the version of the compiler's settings for the texts: a stored one's are what it was
// stored with.
func (t Text) Settings() string {
	if t.Hash == "" {
		return compile.SettingsVersion
	}
	return cmp.Or(t.CompilerSettings, compile.FirstSettings)
}

// ToStore is the text of a module as it is to be stored: it says what it was compiled with.
func (t Text) ToStore() Text {
	if t.CompilerSettings == "" {
		t.CompilerSettings, t.SDK = compile.SettingsVersion, bundle.Version()
	}
	return t
}

// HashOfTexts is the hash of the texts alone, before they are compiled: npm packages that they
// import are not in it.
func (t Text) HashOfTexts() string {
	if t.Kind == KindComponent {
		return t.source("").Hash()
	}
	activities := ""
	if t.ActivitiesCode != "" {
		activities = t.activitySource("").Hash()
	}
	return hashOfBoth(t.source("").Hash(), activities)
}

// hashOfBoth identifies a workflow row's two texts together; activities is "" if it has but one.
func hashOfBoth(code, activities string) string {
	if activities == "" {
		return code
	}
	sum := sha256.Sum256([]byte(code + activities))
	return hex.EncodeToString(sum[:])
}

// source is the text of a component, or a workflow's.
func (t Text) source(projectID string) compile.Source {
	kind := compile.Workflow
	if t.Kind == KindComponent {
		kind = compile.Activity
	}
	return compile.Source{Name: t.Name + ".ts", Kind: kind, Text: t.Code, Settings: t.Settings(), ProjectID: projectID}
}

// activitySource is the text of a workflow row's activities.
func (t Text) activitySource(projectID string) compile.Source {
	return compile.Source{Name: t.Name + ".activities.ts", Kind: compile.Activity, Text: t.ActivitiesCode, Settings: t.Settings(), ProjectID: projectID}
}
