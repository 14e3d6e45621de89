package activities

import (
	"context"
	"time"
)

// sampleActivity: {message} → "Processed: <message>".
func sampleActivity(_ context.Context, in input) (result, error) {
	message, err := in.text("message")
	if err != nil {
		return result{}, err
	}
	return jsonResult("Processed: " + message)
}

// buildPackage: {packageName, version = "1.0.0", options?} → {success, packageName, buildTime,
// artifacts}. It builds nothing: it stands for a step that takes a name and yields artefacts.
// buildTime is in milliseconds.
func buildPackage(_ context.Context, in input) (result, error) {
	began := time.Now()
	name, err := in.text("packageName")
	if err != nil {
		return result{}, err
	}
	if name == "" {
		return result{}, invalid("packageName", "must not be empty")
	}
	version, err := in.textOr("version", "1.0.0")
	if err != nil {
		return result{}, err
	}
	if _, given := in.get("options"); given {
		if _, err := in.object("options"); err != nil {
			return result{}, err
		}
	}
	return jsonResult(struct {
		Success     bool     `json:"success"`
		PackageName string   `json:"packageName"`
		BuildTime   int64    `json:"buildTime"`
		Artifacts   []string `json:"artifacts"`
	}{true, name, time.Since(began).Milliseconds(), []string{name + "-" + version + ".tar.gz", name + "-" + version + ".zip"}})
}
