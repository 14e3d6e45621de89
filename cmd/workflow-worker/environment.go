package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"workflow-worker/migrations/database"
)

// environment is the variables of a process, by name.
type environment map[string]string

func environmentOf(list []string) environment {
	out := environment{}
	for _, v := range list {
		if name, value, ok := strings.Cut(v, "="); ok {
			out[name] = value
		}
	}
	return out
}

// Lookup gives a variable. One that is empty counts as not set.
func (e environment) Lookup(name string) (string, bool) {
	value := e[name]
	return value, value != ""
}

// LookupEnv and Environ are how Temporal's SDK reads it.
func (e environment) LookupEnv(name string) (string, bool) { return e.Lookup(name) }

// Environ gives NAME=value of those that are set.
func (e environment) Environ() (out []string) {
	for name, value := range e {
		if value != "" {
			out = append(out, name+"="+value)
		}
	}
	return out
}

// secrets are the variables that can be read from a file instead, whose name is in the variable of
// the same name with _FILE behind: for secrets that are mounted.
var secrets = []string{
	"DATABASE_URL", "REPLICATION_DATABASE_URL", "TEMPORAL_API_KEY", "TEMPORAL_TLS_CLIENT_KEY_DATA", passwordVariable,
	"PAYLOAD_ENCRYPTION_KEYS", "PAYLOAD_CODEC_AUTH", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS",
}

// passwordVariable is PostgreSQL's own, which pgx reads from the process's environment; what a file
// holds has to be put into the URL.
const passwordVariable = "PGPASSWORD"

const fileSuffix = "_FILE"

// withSecrets reads the secrets that files hold and that are wanted. What can't be read is told by
// mistake.
func (e environment) withSecrets(want wanted, mistake mistaken) environment {
	out := environment{}
	for name, value := range e {
		out[name] = value
	}
	for _, name := range secrets {
		path, given := e.Lookup(name + fileSuffix)
		if !given || !want(name) {
			continue
		}
		if _, both := e.Lookup(name); both {
			mistake("%s and %s are both set: one of them is enough", name, name+fileSuffix)
			continue
		}
		secret, err := readSecret(path)
		if err != nil {
			mistake("%s: %v", name+fileSuffix, err)
			continue
		}
		out[name] = secret
	}
	return out
}

// readSecret reads a file without the line's end that editors and shells leave.
func readSecret(path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", err
	}
	return secretIn(path, b)
}

// readSecret is so, wherever files are read.
func (s settings) readSecret(path string) (string, error) {
	b, err := s.readFile(path)
	if err != nil {
		return "", err
	}
	return secretIn(path, b)
}

// readFile reads a file: in a cell, by its parent.
func (s settings) readFile(path string) ([]byte, error) {
	if s.files != nil {
		return s.files(path)
	}
	return os.ReadFile(path)
}

// fileOf gives the file that a secret was read from, and is to be read from again.
func (s settings) fileOf(name string) (path string, ok bool) {
	if s.handed != nil {
		path = s.handed[name+fileSuffix]
		return path, path != ""
	}
	return s.environment.Lookup(name + fileSuffix)
}

func secretIn(path string, b []byte) (string, error) {
	secret := strings.TrimRight(string(b), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

// temporalNames are the variables that Temporal's SDK reads.
var temporalNames = []string{
	"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE", "TEMPORAL_API_KEY", "TEMPORAL_CLIENT_AUTHORITY", "TEMPORAL_TLS",
	"TEMPORAL_TLS_CLIENT_CERT_PATH", "TEMPORAL_TLS_CLIENT_CERT_DATA", "TEMPORAL_TLS_CLIENT_KEY_PATH", "TEMPORAL_TLS_CLIENT_KEY_DATA",
	"TEMPORAL_TLS_SERVER_CA_CERT_PATH", "TEMPORAL_TLS_SERVER_CA_CERT_DATA", "TEMPORAL_TLS_SERVER_NAME", "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
	"TEMPORAL_CODEC_ENDPOINT", "TEMPORAL_CODEC_AUTH", "TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE",
}

// slip is a variable that looks like a setting that was misspelt.
type slip struct{ name, meant string }

// slips finds them, in the order of their names. What the operator hands to activities is theirs to
// name.
func (e environment) slips(handedOn []string) (list []slip) {
	known := slices.Concat(settingNames(), temporalNames, telemetryNames)
	for _, s := range secrets {
		known = append(known, s+fileSuffix)
	}
	for name, value := range e {
		if value == "" || slices.Contains(known, name) || slices.Contains(handedOn, name) {
			continue
		}
		for _, k := range known {
			if len(k) >= shortestMeant && distance(name, k) <= maxEdits {
				list = append(list, slip{name, k})
				break
			}
		}
	}
	slices.SortFunc(list, func(a, b slip) int { return strings.Compare(a.name, b.name) })
	return list
}

// parameterSlips finds so the parameters of a URL of PostgreSQL that were misspelt. What is near to none
// may be a setting that the server knows.
func parameterSlips(url string) (list []slip) {
	for _, name := range database.UnknownParameters(url) {
		nearest, edits := "", maxEdits+1
		for _, k := range database.Parameters() {
			if n := distance(strings.ToLower(name), strings.ToLower(k)); n < edits && (n <= 1 || len(k) >= shortestMeant) && len(k) >= shortestParameter {
				nearest, edits = k, n
			}
		}
		if nearest != "" {
			list = append(list, slip{name, nearest})
		}
	}
	return list
}

const (
	// shortestParameter leaves out those to which other settings of the server are near.
	shortestParameter = 6
	// shortestMeant leaves out names that so many others are near to.
	shortestMeant = 8
	// maxEdits is two letters wrong, left out, or too many.
	maxEdits = 2
)

// distance counts the letters that must be changed, put in, taken out or swapped with their neighbour
// to make b of a.
func distance(a, b string) int {
	if len(a)-len(b) > maxEdits || len(b)-len(a) > maxEdits {
		return maxEdits + 1
	}
	rows := [][]int{make([]int, len(b)+1)}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			wrong := 1
			if a[i-1] == b[j-1] {
				wrong = 0
			}
			row[j] = min(rows[i-1][j]+1, row[j-1]+1, rows[i-1][j-1]+wrong)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], rows[i-2][j-2]+1)
			}
		}
		rows = append(rows, row)
	}
	return rows[len(a)][len(b)]
}
