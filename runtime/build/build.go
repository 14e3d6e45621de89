package build

import (
	"context"
	"errors"
	"fmt"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
)

// Options of a Builder. All are required.
type Options struct {
	// Compiler compiles; the Builder doesn't close it.
	Compiler *compile.Compiler
	// Packages gives the npm packages that were kept under a hash. Its error is nobody's text's
	// fault.
	Packages func(ctx context.Context, hash string) (compile.StoredPackages, error)
	// Workflows gives on what runtimes a project's workflow code is to run.
	Workflows func(projectID string) workflow.CodeOptions
	// Activities gives how a project's activities are to run, also while they are looked over.
	Activities func(projectID string) activity.CodeOptions
}

// Builder makes modules. It is safe for concurrent use.
type Builder struct{ o Options }

// New makes a Builder.
func New(o Options) *Builder { return &Builder{o} }

// Warm builds and evaluates a module of each kind that does nothing, so that no row waits for what
// every first use has to wait for. Its error says what this build or machine lacks to run any.
func (b *Builder) Warm(ctx context.Context) error {
	const name, text = "warm", "export async function warm() {}"
	p, err := b.compile(ctx, Text{Kind: KindWorkflow, Name: name, Code: text}.source(""), "")
	if err != nil {
		return err
	}
	code := workflow.NewCode(p, workflow.CodeOptions{Probe: b.o.Compiler.Probe})
	defer code.Close()
	if _, err := code.Check(ctx); err != nil {
		return err
	}
	if p, err = b.compile(ctx, Text{Kind: KindComponent, Name: name, Code: text}.source(""), ""); err != nil {
		return err
	}
	activities := activity.NewCode(p, b.o.Activities(""))
	defer activities.Close()
	_, err = activities.Check(ctx)
	return err
}

// ErrInfrastructure marks failures that are not the text's.
var ErrInfrastructure = errors.New("the compiler could not be used")

// IsTextsFault tells what the author must mend from what may work the next time.
func IsTextsFault(ctx context.Context, err error) bool {
	return ctx.Err() == nil && !errors.Is(err, ErrInfrastructure)
}

// compile tells the compiler's own trouble from the text's. packages is the hash of those to run
// with, "" for what the text imports now.
func (b *Builder) compile(ctx context.Context, s compile.Source, packages string) (*compile.Program, error) {
	if packages != "" {
		var err error
		if s.Packages, err = b.keptPackages(ctx, packages); err != nil {
			return nil, err
		}
	}
	p, err := b.o.Compiler.Compile(ctx, s)
	var bad *compile.Error
	if err != nil && !errors.As(err, &bad) {
		return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	return p, err
}

// keptPackages gives the packages of a hash: those that are loaded, else those that were kept.
func (b *Builder) keptPackages(ctx context.Context, hash string) (*compile.Packages, error) {
	if p := b.o.Compiler.Packages(hash); p != nil {
		return p, nil
	}
	kept, err := b.o.Packages(ctx, hash)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInfrastructure, err)
	}
	return b.o.Compiler.LoadPackages(kept)
}
