package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	goruntime "runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"workflow-worker/migrations"
	"workflow-worker/runtime/buildid"
	"workflow-worker/runtime/bundle"
)

const rootHelp = `Runs the workflows and activities that rows of a PostgreSQL (or Supabase) database hold, and answers
what an operator asks. Without a command it runs.

Settings come from the environment; cmd/workflow-worker/README.md lists them.

`

// execute runs what the command line says.
func (p process) execute(ctx context.Context) error {
	begun := false
	root := p.commands()
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	root.SetArgs(p.args)
	command, err := root.ExecuteContextC(ctx)
	if err != nil && !begun {
		return exits(exitUsage, fmt.Errorf("%w\n%q tells how it is used", err, command.CommandPath()+" --help"))
	}
	return err
}

// commands are all that there are.
func (p process) commands() *cobra.Command {
	asked := false // for the version, as of most programs
	root := &cobra.Command{
		Use:   "workflow-worker",
		Short: "Runs workflows that are rows of a PostgreSQL database",
		Long:  rootHelp + exitCodesHelp(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if asked {
				return p.version(false)
			}
			return p.run(cmd.Context())
		},
		// What went wrong is told once, by report, and the usage doesn't hide it.
		SilenceErrors: true, SilenceUsage: true,
	}
	root.Flags().BoolVar(&asked, "version", false, "print the version")
	root.AddCommand(
		&cobra.Command{
			Use: "run", Short: "Watch the rows and run what they say (the default)", Args: cobra.NoArgs,
			RunE: func(cmd *cobra.Command, _ []string) error { return p.run(cmd.Context()) },
		},
		p.migrateCommand(), p.roleCommand(), p.realtimeCommand(), p.checkCommand(), p.replayCommand(), p.statusCommand(), p.doctorCommand(),
		p.healthcheckCommand(), p.versionCommand(),
	)
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	namesOnly(root) // which has the output fixed
	for _, c := range root.Commands() {
		if c.Name() != "check" && c.ValidArgsFunction == nil { // nothing else takes files
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
	}
	return root
}

// completes tells shells what a flag takes.
func completes(c *cobra.Command, flag string, values ...string) {
	// It fails for a flag that there is not, and for one that was told of before.
	_ = c.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return values, cobra.ShellCompDirectiveNoFileComp
	})
}

// namesOnly makes the library's own commands refuse a name that there is not: by themselves they
// answer with their help, and exit code 0.
func namesOnly(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		switch c.Name() {
		case "help":
			c.RunE = func(_ *cobra.Command, args []string) error {
				found, rest, err := root.Find(args)
				if err == nil && len(rest) > 0 {
					err = fmt.Errorf("unknown command %q for %q", rest[0], found.CommandPath())
				}
				if err != nil {
					return exits(exitUsage, fmt.Errorf("%w\n%q lists them", err, root.CommandPath()+" help"))
				}
				found.InitDefaultHelpFlag()
				return found.Help()
			}
		case "completion":
			c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
		}
	}
}

func (p process) roleCommand() *cobra.Command {
	return &cobra.Command{
		Use: "role", Short: "Print the SQL of the least-privileged role for the service", Args: cobra.NoArgs,
		Long: "Prints the SQL of the role that the service works with. Run it as the owner of the tables, after the\nmigrations and again after each upgrade: workflow-worker role | psql \"$OWNER_DATABASE_URL\"",
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.stdout, migrations.RoleSQL())
			return err
		},
	}
}

func (p process) realtimeCommand() *cobra.Command {
	var changes bool
	c := &cobra.Command{
		Use: "realtime", Short: "Print the SQL by which Supabase Realtime tells of executions", Args: cobra.NoArgs,
		Long: "Prints the SQL by which clients of Supabase Realtime hear how executions get on, and what it costs: by\nprivate Broadcast or, with --changes, by postgres_changes, which costs more for each subscriber. Run it as\nthe owner of the tables, after the migrations: workflow-worker realtime | psql \"$OWNER_DATABASE_URL\"",
		RunE: func(*cobra.Command, []string) error {
			sql := migrations.RealtimeSQL()
			if changes {
				sql = migrations.RealtimeChangesSQL()
			}
			_, err := io.WriteString(p.stdout, sql)
			return err
		},
	}
	c.Flags().BoolVar(&changes, "changes", false, "by postgres_changes instead of Broadcast")
	return c
}

func (p process) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs,
		Long: "Prints the version; with --json also the commit, what is built in, and the schema that it knows.",
		RunE: func(*cobra.Command, []string) error { return p.version(asJSON) },
	}
	c.Flags().BoolVar(&asJSON, "json", false, "version, revision, the TypeScript SDK's and Go's version, the platform, the schema's version")
	return c
}

func (p process) version(asJSON bool) error {
	if !asJSON {
		_, err := fmt.Fprintln(p.stdout, buildid.Version())
		return err
	}
	return p.printJSON(struct {
		Version  string `json:"version"`
		Revision string `json:"revision"`
		SDK      string `json:"sdk"`
		Go       string `json:"go"`
		Platform string `json:"platform"`
		Schema   int64  `json:"schema"`
	}{buildid.Version(), buildid.Revision(), bundle.Version(), goruntime.Version(), goruntime.GOOS + "/" + goruntime.GOARCH, migrations.Newest()})
}

func (p process) printJSON(v any) error {
	e := json.NewEncoder(p.stdout)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// healthcheckCommand is for containers without a shell.
func (p process) healthcheckCommand() *cobra.Command {
	return &cobra.Command{
		Use: "healthcheck", Short: "Ask the running service's /health/ready", Args: cobra.NoArgs,
		Long: "Asks the service on WORKER_SERVICE_HOST and WORKER_SERVICE_PORT whether it is ready. It needs no other\nsetting. Exit code 0: it is; 1: it isn't, or doesn't answer.",
		RunE: func(cmd *cobra.Command, _ []string) error { return p.healthcheck(cmd.Context()) },
	}
}

func (p process) healthcheck(ctx context.Context) error {
	s, err := p.readSettings(only("WORKER_SERVICE_HOST", "WORKER_SERVICE_PORT"))
	if err != nil {
		return err
	}
	host := s.Host
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	url := "http://" + net.JoinHostPort(host, strconv.Itoa(s.Port)) + "/health/ready"
	q, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		return exits(exitFailed, err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		const most = 4 << 10
		reasons, _ := io.ReadAll(io.LimitReader(answer.Body, most)) // as far as it goes
		return exits(exitFailed, fmt.Errorf("%s answers %s: %s", url, answer.Status, reasons))
	}
	return nil
}
