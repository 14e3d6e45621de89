package metrics

import "strings"

// What may be wrong has an id, which /health gives beside the reason, and the log: a heading of
// docker/RUNBOOK.md explains it.
const (
	outOfReach   = ".reachable" // behind a dependency's name
	ofNoUse      = ".usable"
	idConnecting = "stream.connecting"
	idServer     = "service.http_server"
)

// PayloadTrouble is what [Metrics.Trouble] is told where payloads are encrypted.
const PayloadTrouble = "payloads can't be encrypted or decrypted"

// HealthIDs are the ids that this room gives by itself; the others are made of cdc's reasons and of
// what fails at work.
func HealthIDs() []string {
	return []string{
		"database" + outOfReach, "database" + ofNoUse, "temporal" + outOfReach, "temporal" + ofNoUse, idConnecting, idServer,
		TroubleID(PayloadTrouble),
	}
}

// streamID names a reason for polling ("name: text").
func streamID(reason string) string {
	name, _, _ := strings.Cut(reason, ":")
	return "stream." + name
}

// TroubleID names what the service can't do, which is told in words.
func TroubleID(what string) string {
	return "service." + strings.ReplaceAll(strings.ReplaceAll(what, "'", ""), " ", "_")
}
