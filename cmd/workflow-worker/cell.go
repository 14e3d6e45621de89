package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	goruntime "runtime"
	"slices"
	"strconv"
	"time"

	temporalenv "go.temporal.io/sdk/contrib/envconfig"
	"go.temporal.io/sdk/worker"

	"workflow-worker/activities"
	"workflow-worker/metrics"
	"workflow-worker/reconcile"
	"workflow-worker/reconcile/upkeep"
	"workflow-worker/runtime"
	"workflow-worker/runtime/buildid"
	"workflow-worker/runtime/cell"
	"workflow-worker/runtime/compile"
	"workflow-worker/runtime/memory"
)

// maxCells is far more than a machine has use for.
const maxCells = 64

// runner is what runs projects: here, or in cells.
type runner interface {
	reconcile.Runner
	upkeep.FailingPolls
	Warm(ctx context.Context) error
	Close(ctx context.Context) error
}

// losses say what becomes of projects whose worker is gone with its process.
type losses struct {
	died       func(cell.Death)
	moved      func(projectIDs []string)
	quarantine cell.Quarantine
}

// follower is a runner that spares itself what nobody follows.
type follower interface {
	Follow(everything bool, queues []string)
}

// runs gives what runs projects, as the settings say; heard is what it tells, and to whom. lost
// hears of projects whose worker is gone with its process, and used says how much memory other
// processes need.
func (p process) runs(s settings, w watched, heard runtime.Config, lost losses) (r runner, used func() int64, end func(), err error) {
	if s.Cells > 0 {
		c, err := p.cells(s, w, heard, lost)
		if err != nil {
			return nil, nil, nil, err
		}
		return c, c.Used, func() {
			ctx, cancel := context.WithTimeout(context.Background(), s.ShutdownTimeout)
			defer cancel()
			_ = c.Close(ctx) // what it left behind was told of when the projects were stopped
		}, nil
	}
	compiler, err := s.compiling(w.log)
	if err != nil {
		return nil, nil, nil, err
	}
	heard.Client, heard.Tasks, heard.Compiler, heard.Env = w.temporal, w.tasks, compiler, p.activityEnvironment(s)
	run, err := s.runtime(heard)
	if err != nil {
		compiler.Close()
		return nil, nil, nil, err
	}
	return run, func() int64 { return 0 }, compiler.Close, nil
}

// compiling is the compiler of what runs projects in this process.
func (s settings) compiling(log *slog.Logger) (*compile.Compiler, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the program's own file, to start the compiler process: %w", err)
	}
	buildid.Tell(self)
	return compile.New(compile.Config{Command: []string{self, compileCommand}, Modules: s.ModulesDir, Logger: log}), nil
}

// runtime makes the Runner that the settings describe.
func (s settings) runtime(c runtime.Config) (*runtime.Runner, error) {
	allow, err := s.allowedAddresses()
	if err != nil {
		return nil, err
	}
	c.HTTP = activities.GuardOptions{AllowPrivate: s.HTTPAllowPrivate, Allow: allow}
	c.MaxConcurrentActivities = s.MaxActivities
	c.MaxConcurrentWorkflowTasks = s.MaxWorkflows
	c.IsolateProjects = s.WorkflowIsolation == isolationProject
	c.ActivitySliceTimeout = s.ActivityCPUTimeout
	c.ActivityCPUBudget = s.ActivityMaxCPUTime
	c.MaxActivityMemory = s.ActivityMaxMemory
	c.MaxWorkflowMemory = s.WorkflowMaxMemory
	c.MaxMemory = memory.Limit() / 10 * 8
	c.MaxActivityResultBytes = s.ActivityMaxResult
	c.MaxActivityResponseBytes = s.ActivityMaxResponse
	c.MaxActivityRequests = s.ActivityMaxRequests
	// Less than all of it: after the tasks the rows have to be written.
	c.StopTimeout = s.ShutdownTimeout * 3 / 4
	return runtime.New(c)
}

// The names of what a parent hands over to its cells beside their environment.
const (
	handedProfile     = "temporal"             // how Temporal is reached, as JSON
	handedCertificate = "temporal certificate" // the file
	handedKey         = "temporal key"
	handedActivityEnv = "activity environment" // what activities see, as JSON
	handedOwner       = "owner"                // names the replica, as long as its process lives
)

// cellSettings are the settings that a cell reads: none that leads to the database.
var cellSettings = slices.Concat([]string{
	"MAX_CONCURRENT_ACTIVITY_EXECUTIONS", "MAX_CONCURRENT_WORKFLOW_EXECUTIONS", "WORKFLOW_CACHE_SIZE", "WORKFLOW_ISOLATION",
	runtime.MaxWorkflowMemorySetting, "SHUTDOWN_TIMEOUT", "HTTP_ALLOW_PRIVATE", "HTTP_ALLOW",
	activities.CPUTimeSetting, activities.MaxCPUTimeSetting, activities.MaxMemorySetting, activities.MaxResultSetting,
	activities.MaxResponseSetting, activities.MaxRequestsSetting, metrics.UserSeriesSetting, "MODULES_DIR", "REPLICA_NAME",
}, payloadSettings, telemetrySettings())

// goesToCells are the variables that Go and gRPC themselves read in a cell's process.
var goesToCells = []string{
	"GODEBUG", "GOGC", "GORACE", "GOTRACEBACK", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy",
}

// cells are the processes that run projects.
func (p process) cells(s settings, w watched, heard runtime.Config, lost losses) (*cell.Cells, error) {
	profile, err := s.temporalProfile()
	if err != nil {
		return nil, err
	}
	handed, readable, err := s.handsOver(profile)
	if err != nil {
		return nil, err
	}
	env, err := json.Marshal(p.activityEnvironment(s))
	if err != nil {
		return nil, err
	}
	handed[handedActivityEnv] = string(env)
	if handed[handedOwner], err = s.owner(); err != nil {
		return nil, err
	}
	given := map[string]string{}
	for _, name := range cellSettings {
		if value, ok := s.environment.Lookup(name); ok {
			given[name] = value
		}
	}
	// What the system says of processors is out of a confined process's sight.
	own := []string{"GOMAXPROCS=" + strconv.Itoa(goruntime.GOMAXPROCS(0))}
	for _, name := range goesToCells {
		if value, ok := p.environment.Lookup(name); ok {
			own = append(own, name+"="+value)
		}
	}
	var reads []string
	if s.ModulesDir != "" {
		reads = append(reads, s.ModulesDir)
	}
	c, err := cell.New(cell.Config{
		Count: s.Cells, Arguments: []string{cellCommand}, ProcessEnvironment: own, Reads: reads, Environment: given, Handed: handed,
		ReadFile: func(path string) ([]byte, error) {
			if !slices.Contains(readable, path) {
				return nil, fmt.Errorf("%s is none of a cell's files", path)
			}
			return os.ReadFile(path)
		},
		Memory: cellMemory(memory.Limit(), s.Cells), Level: w.level, Logger: w.log,
		Store: heard.Store, Observer: heard.Observer, Meter: heard.Meter, Activities: heard.Activities, Usage: heard.Usage,
		Progress: heard.Progress, Steps: heard.Steps, Failures: heard.Failures, KeptCode: heard.KeptCode,
		Gone: w.metrics.Ended, Died: lost.died, Moved: lost.moved, Quarantine: lost.quarantine,
	})
	if err != nil {
		return nil, err
	}
	w.metrics.Beside(c.Metrics, c.Processes)
	w.level.tell(c.LogAt)
	return c, nil
}

// owner is REPLICA_NAME, or a name like it.
func (s settings) owner() (string, error) {
	if s.ReplicaName != "" {
		return s.ReplicaName, nil
	}
	// The start tells containers of one host name apart, where each is process 1.
	host, err := os.Hostname()
	return fmt.Sprintf("%s/%d/%d", host, os.Getpid(), time.Now().UnixNano()), err
}

// cellMemory is how much each of n cells may use: of what there is the parent needs little.
func cellMemory(limit int64, n int) int64 {
	const parents = 96 << 20
	return (limit - min(parents, limit/4)) / int64(n)
}

// handsOver is what cells need to reach Temporal and to encrypt: secrets that files hold go over as
// they are, and the files' names, to be read again by the parent.
func (s settings) handsOver(p temporalenv.ClientConfigProfile) (handed map[string]string, readable []string, err error) {
	handed = map[string]string{}
	for _, name := range []string{"TEMPORAL_API_KEY", "PAYLOAD_ENCRYPTION_KEYS", "PAYLOAD_CODEC_AUTH"} {
		if file, ok := s.fileOf(name); ok {
			handed[name+fileSuffix] = file
			readable = append(readable, file)
		}
	}
	if p.TLS != nil {
		t := *p.TLS
		handed[handedCertificate], handed[handedKey] = t.ClientCertPath, t.ClientKeyPath
		readable = append(readable, t.ClientCertPath, t.ClientKeyPath)
		for _, x := range []struct {
			path *string
			data *[]byte
		}{{&t.ClientCertPath, &t.ClientCertData}, {&t.ClientKeyPath, &t.ClientKeyData}, {&t.ServerCACertPath, &t.ServerCACertData}} {
			if *x.path == "" {
				continue
			}
			if *x.data, err = os.ReadFile(*x.path); err != nil {
				return nil, nil, fmt.Errorf("Temporal's settings (TEMPORAL_…): %w", err)
			}
			*x.path = ""
		}
		p.TLS = &t
	}
	b, err := json.Marshal(p)
	if err != nil {
		return nil, nil, err
	}
	handed[handedProfile] = string(b)
	return handed, readable, nil
}

// cell is the process of a cell.
func (p process) cell() error {
	if p.alone {
		adoptGRPC()
	}
	return cell.Serve(func(ctx context.Context, given cell.Setup) (cell.Program, error) {
		env := map[string]string{}
		if err := json.Unmarshal([]byte(given.Handed[handedActivityEnv]), &env); err != nil {
			return cell.Program{}, fmt.Errorf("read what activities may see: %w", err)
		}
		p.environment = environment{}
		maps.Copy(p.environment, given.Environment)
		s, err := p.readSettings(func(name string) bool { return slices.Contains(cellSettings, name) })
		if err != nil {
			return cell.Program{}, err
		}
		s.handed = given.Handed
		s.files = func(path string) ([]byte, error) { return given.ReadFile(ctx, path) }
		if p.alone {
			adopt(given.Log)
		}
		return s.program(ctx, given, env)
	})
}

// program is what runs in a cell.
func (s settings) program(ctx context.Context, given cell.Setup, env map[string]string) (cell.Program, error) {
	worker.SetStickyWorkflowCacheSize(s.workflowCacheSize())
	m := metrics.New(metrics.Options{UserSeries: s.userSeries(), TopProjects: -1})
	temporal, tasks, err := s.dialTemporal(m.TemporalHandler(), given.Log)
	if err != nil {
		return cell.Program{}, err
	}
	tasks.NameStickyQueues(given.Handed[handedOwner])
	tracer, endTraces, err := s.startTraces(ctx, given.Log)
	if err != nil {
		temporal.Close()
		return cell.Program{}, err
	}
	compiler, err := s.compiling(given.Log)
	if err != nil {
		endTraces()
		temporal.Close()
		return cell.Program{}, err
	}
	c := given.Config
	c.Client, c.Tasks, c.Compiler, c.Env, c.Tracer = temporal.Client, tasks, compiler, env, tracer
	c.Logger = tracer.Log(c.Logger)
	c.Meter = func(projectID string) runtime.Meter { return m.UserMetrics(projectID) }
	r, err := s.runtime(c)
	end := func() {
		compiler.Close()
		endTraces()
		temporal.Close()
	}
	if err != nil {
		end()
		return cell.Program{}, err
	}
	go memory.Tune(ctx) // until the process ends
	return cell.Program{Runner: r, Tracer: tracer, Metrics: m.Families, Close: end}, nil
}
