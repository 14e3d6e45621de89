package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"go.temporal.io/sdk/client"

	"workflow-worker/cmd/workflow-worker/doctor"
	"workflow-worker/migrations"
	"workflow-worker/runtime/buildid"
	"workflow-worker/runtime/memory"
	"workflow-worker/runtime/tracing"
)

type doctorFlags struct {
	short, json bool
	skip        []string
}

func (p process) doctorCommand() *cobra.Command {
	var f doctorFlags
	c := &cobra.Command{
		Use: "doctor", Short: "Look at all that the service needs, and say what is wrong and what mends it", Args: cobra.NoArgs,
		Long: "Looks at the settings, the database, the schema, rights, the change stream, Temporal, what so many projects\ntake, TLS, and where traces go. It changes nothing and goes on after a failure. docker/RUNBOOK.md explains each\ncheck by its id. Exit code 6: something fatal is wrong; warnings alone: 0.\n\nChecks:\n" + checkIDs(),
		RunE: func(cmd *cobra.Command, _ []string) error { return p.doctor(cmd.Context(), f) },
	}
	c.Flags().BoolVar(&f.short, "short", false, "only what is wrong, for pasting")
	c.Flags().BoolVar(&f.json, "json", false, "as JSON")
	c.Flags().StringSliceVar(&f.skip, "skip", nil, "ids of checks to leave out; those that need one of them are left out, too")
	completes(c, "skip", doctor.IDs()...)
	return c
}

// checkIDs has the checks' ids, in lines that a terminal has room for.
func checkIDs() string {
	var b strings.Builder
	width := 0
	for i, id := range doctor.IDs() {
		switch {
		case i == 0:
			b.WriteString("  ")
		case width+len(id) > 100:
			b.WriteString(",\n  ")
			width = 0
		default:
			b.WriteString(", ")
		}
		b.WriteString(id)
		width += len(id) + len(", ")
	}
	return b.String()
}

func (p process) doctor(ctx context.Context, f doctorFlags) error {
	s, settingsErr := p.readSettings(all)
	patient := &doctor.Patient{
		SettingsError: settingsErr, DatabaseURL: s.DatabaseURL, ReplicationURL: s.ReplicationDatabaseURL, Separate: s.ReplicationDatabaseURL != "",
		Publications: []string{migrations.Publication, migrations.RequestsPublication},
		ModulesDir:   s.ModulesDir, ProjectReplicas: s.ProjectReplicas, CodeRetention: s.CodeRetention, MemoryLimit: memory.Limit(), Now: time.Now,
		Secrets: s.passwords(),
	}
	// Each by itself: a mistake elsewhere keeps nobody from looking.
	_, patient.DatabaseError = p.readSettings(only("DATABASE_URL", "REPLICATION_DATABASE_URL"))
	_, patient.TemporalError = p.readSettings(only(temporalWanted))
	if endpoint := s.tracesEndpoint(); settingsErr == nil && endpoint != "" {
		patient.TracesEndpoint = endpoint
		patient.Traces = func(ctx context.Context) error { return tracing.Check(ctx, s.tracingConfig(endpoint)) }
	}
	if patient.TemporalError == nil {
		var err error
		if patient.Temporal, err = s.temporalOptions(); err != nil {
			return exits(exitSettings, err)
		}
		patient.Temporal.Logger = silent{}
		patient.CodecURL = s.PayloadCodec
		if patient.Payloads, err = s.encryption(cmp.Or(patient.Temporal.Namespace, client.DefaultNamespace), nil, slog.New(slog.DiscardHandler)); err != nil {
			return err
		}
	}
	found, err := doctor.Examine(ctx, patient, f.skip)
	if err != nil {
		return exits(exitUsage, err)
	}
	if f.json {
		err = p.printJSON(struct {
			Version string           `json:"version"`
			Checks  []doctor.Finding `json:"checks"`
		}{buildid.Version(), found})
	} else {
		p.printFindings(found, f.short)
	}
	if err == nil && doctor.Sick(found) {
		err = findings()
	}
	return err
}

// silent is the logger of a client whose errors come back.
type silent struct{}

func (silent) Debug(string, ...any) {}
func (silent) Info(string, ...any)  {}
func (silent) Warn(string, ...any)  {}
func (silent) Error(string, ...any) {}

// passwords are what no output is to show.
func (s settings) passwords() (list []string) {
	for _, name := range secrets {
		value, ok := s.environment.Lookup(name)
		if !ok {
			continue
		}
		if u, err := url.Parse(value); err == nil && u.User != nil {
			if password, ok := u.User.Password(); ok {
				list = append(list, password)
			}
			continue
		}
		list = append(list, value)
	}
	return list
}

func (p process) printFindings(found []doctor.Finding, short bool) {
	counts := map[string]int{}
	group := ""
	paint := func(colour, text string) string {
		if !p.isTerminal() {
			return text
		}
		return colour + text + plain
	}
	for _, f := range found {
		mark := map[string]string{doctor.OK: paint(green, "ok     "), doctor.Skipped: "skipped"}[f.Outcome]
		kind := f.Outcome
		if f.Outcome == doctor.Failed {
			kind = string(f.Severity)
			mark = paint(map[doctor.Severity]string{doctor.Fatal: red, doctor.Warning: yellow}[f.Severity], fmt.Sprintf("%-7s", kind))
		}
		counts[kind]++
		if short && f.Outcome != doctor.Failed {
			continue
		}
		if !short && f.Group != group {
			group = f.Group
			fmt.Fprintf(p.stdout, "%s\n", group)
		}
		line := fmt.Sprintf("  %s %-21s %s", mark, f.ID, f.Title)
		if f.Reason != "" {
			line += " (" + f.Reason + ")"
		}
		fmt.Fprintln(p.stdout, line)
		for _, x := range f.Problems {
			fmt.Fprintf(p.stdout, "          %s\n", x.Text)
			if x.Mend != "" {
				fmt.Fprintf(p.stdout, "          mend: %s\n", x.Mend)
			}
		}
	}
	warnings := "warnings"
	if counts[string(doctor.Warning)] == 1 {
		warnings = "warning"
	}
	fmt.Fprintf(p.stdout, "workflow-worker %s: %d ok, %d fatal, %d %s, %d skipped\n", buildid.Version(), counts[doctor.OK], counts[string(doctor.Fatal)], counts[string(doctor.Warning)], warnings, counts[doctor.Skipped])
}
