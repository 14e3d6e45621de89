package build

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"workflow-worker/runtime/activity"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/workflow"
)

// missing gives the names that a text takes from npm packages which don't have them: what the text
// can't do without, and what it only may be wrong about.
func (b *Builder) missing(ctx context.Context, projectID string, p *compile.Program) (refused, warnings []compile.Note, err error) {
	if len(p.Uses) == 0 || p.Packages == nil {
		return nil, nil, nil
	}
	have, err := b.namesOf(ctx, projectID, p)
	if err != nil {
		return nil, nil, err
	}
	for _, u := range p.Uses {
		names, known := have[u.Module]
		if !known || slices.Contains(names, u.Name) {
			continue
		}
		if n := u.Missing(names); u.Refuse {
			refused = append(refused, n)
		} else {
			warnings = append(warnings, n)
		}
	}
	return refused, warnings, nil
}

// namesOf evaluates the packages that a text uses, and gives the names that each has. Only what can
// be taken for certain counts: a package that can't be evaluated alone is left out, for what is
// wrong with it is said when the text itself is evaluated.
func (b *Builder) namesOf(ctx context.Context, projectID string, p *compile.Program) (map[string][]string, error) {
	var modules []string
	used := map[string][]string{}
	for _, u := range p.Uses {
		if !slices.Contains(used[u.Module], u.Name) {
			used[u.Module] = append(used[u.Module], u.Name)
		}
		if !slices.Contains(modules, u.Module) && slices.Contains(p.Packages.Names, u.Module) {
			modules = append(modules, u.Module)
		}
	}
	list, err := json.Marshal(modules)
	if err != nil {
		return nil, err
	}
	asked, err := json.Marshal(used)
	if err != nil {
		return nil, err
	}
	// It tells by what it exports: a function for each name.
	text := fmt.Sprintf(namesText, list, asked)
	probe, err := b.compile(ctx, compile.Source{Name: "names.ts", Kind: p.Kind, Text: text, ProjectID: projectID}, "")
	if err != nil {
		return nil, err
	}
	looking := *probe
	looking.Packages, looking.Hash = p.Packages, p.Hash
	var functions []string
	if p.Kind == compile.Workflow {
		code := workflow.NewCode(&looking, workflow.CodeOptions{CheckTimeout: evaluationBudget})
		defer code.Close()
		var found workflow.Contents
		found, err = code.Check(ctx)
		functions = found.Functions
	} else {
		code := activity.NewCode(&looking, b.o.Activities(projectID))
		defer code.Close()
		functions, err = code.Check(ctx)
	}
	if err != nil {
		if IsTextsFault(ctx, err) {
			return nil, nil // see above
		}
		return nil, errors.Join(ErrInfrastructure, err)
	}
	out := map[string][]string{}
	for _, f := range functions {
		if module, name, ok := strings.Cut(f, "|"); ok {
			out[module] = append(out[module], name)
		}
	}
	return out, nil
}

// namesText: a name counts if the module has it in any way that esbuild's __toESM finds, too. A
// module that is known at all has the name "".
const namesText = `
const load = require, asked = %[2]s;
for (const m of %[1]s) {
	let module: any;
	try { module = load(m); } catch { continue; }
	const names = new Set<string>(['']);
	for (let o = Object(module); o && o !== Object.prototype && o !== Function.prototype; o = Object.getPrototypeOf(o)) for (const n of Object.getOwnPropertyNames(o)) names.add(n);
	for (const n of asked[m]) if (n in Object(module)) names.add(n);
	if (!module || !module.__esModule) names.add('default');
	for (const n of names) exports[m + '|' + n] = () => {};
}`
