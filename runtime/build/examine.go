package build

import (
	"context"
	"errors"
	"slices"

	"workflow-worker/runtime/compile"
)

// WarningsOf gives the warnings that came with an error of the compiler.
func WarningsOf(err error) []compile.Note {
	var bad *compile.Error
	if !errors.As(err, &bad) {
		return nil
	}
	return bad.Warnings
}

// examined is what is said of one new text.
type examined struct {
	// refusal is why the text isn't to go live: names that modules don't have.
	refusal  error
	refused  []compile.Note
	warnings []compile.Note
}

// examine says what a program's names tell, those that it takes from npm packages among them.
func (b *Builder) examine(ctx context.Context, projectID string, p *compile.Program) (examined, error) {
	refused, warnings, err := b.missing(ctx, projectID, p)
	if err != nil {
		return examined{}, err
	}
	return examined{
		refusal: p.RefusedError(refused...), refused: append(slices.Clip(p.Refused), refused...),
		warnings: append(slices.Clip(p.Warnings), warnings...),
	}, nil
}

// instead gives the refusal in place of an error that is likely to follow from it.
func (e examined) instead(ctx context.Context, err error) error {
	if e.refusal != nil && IsTextsFault(ctx, err) {
		return e.refusal
	}
	return err
}

// notes gives the warnings. Of what was live already, what would be refused is a warning as well.
func (e examined) notes(wasLive bool) []compile.Note {
	if wasLive {
		return append(slices.Clip(e.refused), e.warnings...)
	}
	return slices.Clip(e.warnings)
}
