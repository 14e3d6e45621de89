package npm

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// registry gives the registry that npm is configured with for a folder, "" if it is npm's usual one.
// What only npm does, such as to log in, is an error that says so.
func registry(dir string, environment []string) (string, error) {
	set := map[string]string{}
	for _, v := range environment {
		name, value, _ := strings.Cut(v, "=")
		if name, ok := strings.CutPrefix(strings.ToLower(name), "npm_config_"); ok && value != "" {
			set[strings.ReplaceAll(name, "-", "_")] = value
		}
	}
	user := set["userconfig"]
	if home, err := os.UserHomeDir(); user == "" && err == nil {
		user = filepath.Join(home, ".npmrc")
	}
	found := set["registry"]
	// The folder's own file comes before the user's, and that before the machine's.
	for _, file := range []string{filepath.Join(dir, ".npmrc"), user, set["globalconfig"]} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		r, err := registryIn(string(text))
		if err != nil {
			return "", err
		}
		if found == "" {
			found = r
		}
	}
	if found == "" {
		return "", nil
	}
	if u, err := url.Parse(found); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil {
		return "", &needsNpm{"npm is configured with a registry that is no plain URL"}
	}
	return found, nil
}

// registryIn reads an .npmrc.
func registryIn(text string) (registry string, err error) {
	for line := range strings.Lines(text) {
		name, value, ok := strings.Cut(strings.TrimSpace(line), "=")
		name, value = strings.TrimSpace(name), strings.Trim(strings.TrimSpace(value), `"'`)
		if !ok || strings.HasPrefix(name, "#") || strings.HasPrefix(name, ";") {
			continue
		}
		switch {
		case strings.HasSuffix(name, ":registry"):
			return "", &needsNpm{"npm is configured with a registry for a scope"}
		case strings.HasPrefix(name, "//"):
			return "", &needsNpm{"npm is configured to log in to a registry"}
		case name == "registry" && strings.Contains(value, "${"):
			return "", &needsNpm{"npm is configured with a registry by a variable"}
		case name == "registry":
			registry = value
		}
	}
	return registry, nil
}
