package folder

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"workflow-worker/runtime"
)

// Project is files as a project, and where its texts come from.
type Project struct {
	runtime.Project
	// Files are the paths by the names that errors and warnings give them.
	Files map[string]string
}

var extensions = []string{".ts", ".mts", ".cts", ".js", ".mjs", ".cjs"}

const (
	activitiesSuffix = ".activities"
	componentSuffix  = ".component"
	componentsFolder = "components"
)

// Read reads files, and those in folders, as a project of that id. Its error names what can't be
// read, or isn't what a row could be.
func Read(id string, paths []string) (Project, error) {
	out := Project{Project: runtime.Project{ID: id, Name: id, TaskQueue: id}, Files: map[string]string{}}
	var files []string
	var errs []error
	for _, p := range paths {
		found, err := list(p)
		errs = append(errs, err)
		files = append(files, found...)
	}
	slices.Sort(files)
	activities := map[string]string{} // paths, by the workflow's
	for _, path := range slices.Compact(files) {
		text, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		switch {
		case strings.HasSuffix(name, activitiesSuffix):
			activities[filepath.Join(filepath.Dir(path), strings.TrimSuffix(name, activitiesSuffix))] = path
		case strings.HasSuffix(name, componentSuffix) || slices.Contains(strings.Split(filepath.ToSlash(filepath.Dir(path)), "/"), componentsFolder):
			name = strings.TrimSuffix(name, componentSuffix)
			out.Components = append(out.Components, runtime.Component{ID: path, Name: name, Language: "typescript", Code: string(text)})
			out.Files[name+".ts"] = path
		default:
			out.Workflows = append(out.Workflows, runtime.Workflow{ID: path, KebabName: name, Version: "file", Code: string(text)})
			out.Files[name+".ts"] = path
		}
	}
	for i := range out.Workflows {
		w := &out.Workflows[i]
		stem := filepath.Join(filepath.Dir(w.ID), w.KebabName)
		path, ok := activities[stem]
		if !ok {
			continue
		}
		delete(activities, stem)
		text, err := os.ReadFile(path)
		if err != nil {
			errs = append(errs, err)
		}
		w.ActivitiesCode = string(text)
		out.Files[w.KebabName+activitiesSuffix+".ts"] = path
	}
	for _, path := range activities {
		errs = append(errs, fmt.Errorf("%s belongs to a workflow that isn't among the files", path))
	}
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	if len(out.Workflows)+len(out.Components) == 0 {
		return out, fmt.Errorf("no file of code (%s) in %s", strings.Join(extensions, ", "), strings.Join(paths, ", "))
	}
	return out, nil
}

// list gives the files of code below a path. One that is named itself counts, whatever its name. Links
// to files count as files, for so a ConfigMap of Kubernetes is mounted; those to folders lead round.
func list(path string) (files []string, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []string{filepath.Clean(path)}, nil
	}
	err = filepath.WalkDir(path+string(filepath.Separator), func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && filepath.Clean(p) != filepath.Clean(path) && (d.Name() == "node_modules" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case !isCode(d.Name()):
		case d.Type().IsRegular():
			files = append(files, filepath.Clean(p))
		case d.Type()&fs.ModeSymlink != 0:
			target, err := os.Stat(p)
			if err != nil {
				return err
			}
			if target.Mode().IsRegular() {
				files = append(files, filepath.Clean(p))
			}
		}
		return nil
	})
	return files, err
}

func isCode(name string) bool {
	extension := filepath.Ext(name)
	stem := strings.TrimSuffix(name, extension)
	return slices.Contains(extensions, extension) && !strings.HasPrefix(name, ".") &&
		!slices.ContainsFunc([]string{".d", ".test", ".spec"}, func(suffix string) bool { return strings.HasSuffix(stem, suffix) })
}
