package workflow

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"workflow-worker/runtime/workflow/protocol"
)

// decided has, for each package that workflows import, what becomes of its exports: "name  place",
// where the place is a test of this folder or a conformance case (file.yaml/case) that uses the
// export.
const decided = "testdata/exports.txt"

// An upgrade that adds an export fails here until somebody has decided what becomes of it, and
// shown it by a test.
func TestEveryExportOfThePackagesHasItsTest(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
import * as common from '@temporalio/common';
import * as nexus from 'nexus-rpc';
const names = (m: any) => Object.keys(m).filter((k) => k !== 'default').sort();
export async function run() { return { '@temporalio/workflow': names(wf), '@temporalio/common': names(common), 'nexus-rpc': names(nexus) }; }`)
	var there map[string][]string
	if err := json.Unmarshal([]byte(p.run("run")), &there); err != nil {
		t.Fatal(err)
	}
	places := testedPlaces(t)
	table := readDecided(t)
	for module, exports := range there {
		for _, name := range exports {
			place, ok := table[module][name]
			delete(table[module], name)
			text, exists := places[place]
			switch {
			case !ok:
				t.Errorf("%s exports %s: nobody has decided what becomes of it; see %s", module, name, decided)
			case !exists:
				t.Errorf("%s of %s: there is no test or case %q", name, module, place)
			case !regexp.MustCompile(`\b` + name + `\b`).MatchString(text):
				t.Errorf("%s of %s isn't used by %s", name, module, place)
			}
		}
		for name := range table[module] {
			t.Errorf("%s no longer exports %s", module, name)
		}
	}
}

func readDecided(t *testing.T) map[string]map[string]string {
	t.Helper()
	data, err := os.ReadFile(decided)
	if err != nil {
		t.Fatal(err)
	}
	out, module := map[string]map[string]string{}, ""
	for line := range strings.Lines(string(data)) {
		switch f := strings.Fields(line); {
		case len(f) == 0 || f[0] == "#":
		case len(f) == 1:
			module = f[0]
			out[module] = map[string]string{}
		case len(f) == 2:
			out[module][f[0]] = f[1]
		default:
			t.Fatalf("%s: %q", decided, line)
		}
	}
	return out
}

// testedPlaces are the texts of this folder's tests and of the conformance cases, by name.
func testedPlaces(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, text, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && strings.HasPrefix(f.Name.Name, "Test") {
				out[f.Name.Name] = string(text[set.Position(f.Pos()).Offset:set.Position(f.End()).Offset])
			}
		}
	}
	files, err = filepath.Glob("../../cmd/conformance/cases/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no conformance cases", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range strings.Split("\n"+string(text), "\n- name: ")[1:] {
			name, body, _ := strings.Cut(c, "\n")
			if !strings.Contains(body, "\n  pending:") && !strings.HasPrefix(body, "  pending:") {
				out[filepath.Base(file)+"/"+strings.Trim(name, `"' `)] = body
			}
		}
	}
	return out
}

// protocolNames is what the generator of runtime/bundle finds in the protocol's own declarations.
const protocolNames = "../bundle/dist/protocol.json"

func TestEveryJobAndCommandOfTheProtocolHasItsTest(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(protocolNames)
	if err != nil {
		t.Fatal(err)
	}
	var declared struct{ Jobs, Commands []string }
	if err := json.Unmarshal(data, &declared); err != nil || len(declared.Jobs) == 0 || len(declared.Commands) == 0 {
		t.Fatalf("%s: %v, %s", protocolNames, err, data)
	}
	doc, err := os.ReadFile("doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, tables, _ := strings.Cut(string(doc), "# Activation jobs")
	tables, _, _ = strings.Cut(tables, "# What differs")
	jobs, commands, _ := strings.Cut(tables, "# Commands")
	places := testedPlaces(t)
	for what, x := range map[string]struct {
		table string
		names []string
	}{"job": {jobs, declared.Jobs}, "command": {commands, declared.Commands}} {
		rows := tableRows(x.table)
		for _, name := range x.names {
			tests, ok := rows[name]
			if !ok {
				t.Errorf("the %s %s is missing in the table of doc.go", what, name)
			}
			delete(rows, name)
			for _, test := range tests {
				if _, ok := places[test]; !ok {
					t.Errorf("%s %s: there is no test %s", what, name, test)
				}
			}
		}
		for name := range rows {
			t.Errorf("the protocol has no %s %s", what, name)
		}
	}
	read := protocol.CommandNames()
	for _, name := range read {
		if !slices.Contains(declared.Commands, name) {
			t.Errorf("the protocol has no command %s", name)
		}
	}
	for _, name := range declared.Commands {
		if !slices.Contains(read, name) {
			t.Errorf("nobody reads the command %s", name)
		}
	}
}

// tableRows gives the tests of each name in one of doc.go's tables: "name, name   what   Test,
// Test".
func tableRows(table string) map[string][]string {
	out := map[string][]string{}
	tests := regexp.MustCompile(`Test\w+`)
	for line := range strings.Lines(table) {
		row, ok := strings.CutPrefix(line, "//\t")
		if !ok || strings.HasPrefix(row, "job ") || strings.HasPrefix(row, "command ") || strings.HasPrefix(row, " ") {
			continue
		}
		names, rest, _ := strings.Cut(row, "  ")
		if found := tests.FindAllString(rest, -1); len(found) > 0 {
			for _, name := range strings.Split(names, ", ") {
				out[strings.Fields(name)[0]] = found
			}
		}
	}
	return out
}

// What of the packages only computes works as it is; this uses what no other test does.
func TestThePackagesOwnHelpers(t *testing.T) {
	t.Parallel()
	p := newProject(t, `
import * as common from '@temporalio/common';
import * as nexus from 'nexus-rpc';
const text = (p: any) => common.str(p.data ?? new Uint8Array());
const caught = (f: () => any) => { try { return f(); } catch (e: any) { return e.name; } };
const enums = (...all: any[]) => all.map((e) => Object.keys(e)[0]);

export async function converters() {
  const { defaultPayloadConverter: c, toPayloads, arrayFromPayloads, fromPayloadsAtIndex, mapToPayloads, mapFromPayloads } = common;
  const composite = new common.CompositePayloadConverter(new common.UndefinedPayloadConverter(), new common.BinaryPayloadConverter(), new common.JsonPayloadConverter());
  const ps = toPayloads(c, 1, 'zwei')!;
  return [
    arrayFromPayloads(c, ps), fromPayloadsAtIndex(c, 1, ps), mapFromPayloads(c, mapToPayloads(c, { a: [1] })),
    common.convertOptionalToPayload(c, undefined) ?? null, text(common.convertOptionalToPayload(c, { b: 2 })),
    text(composite.toPayload({ c: 3 })), text(composite.toPayload(common.u8('bytes'))), text(new common.DefaultPayloadConverter().toPayload('d')),
    common.encodingKeys.METADATA_ENCODING_JSON.length, common.encodingTypes.METADATA_ENCODING_NULL, common.METADATA_ENCODING_KEY, common.METADATA_MESSAGE_TYPE_KEY,
    text(common.toPayloadWithTypeInfo(c, 4, undefined as any, undefined)), common.fromPayloadWithTypeInfo(c, c.toPayload(5), undefined as any, undefined),
    common.toPayloadsWithContext(c, undefined as any, [6])!.map(text), typeof common.rawValueTypeInfo, Object.keys(common.defaultDataConverter).length >= 0,
    text(new common.RawValue(7).payload ?? c.toPayload(7)),
  ];
}
export async function failures() {
  const fc = common.defaultFailureConverter, pc = common.defaultPayloadConverter;
  const f = fc.errorToFailure(new ApplicationFailure('x', 'T', true, [1]), pc);
  const back: any = fc.failureToError(f, pc);
  const encoded = new common.DefaultFailureConverter({ encodeCommonAttributes: true }).errorToFailure(new Error('hidden'), pc);
  return [
    f.message, f.source === common.FAILURE_SOURCE, back.type, back.details, encoded.message, common.ensureTemporalFailure('t').message,
    common.createPayloadValidationError('d').type, common.cutoffStackTrace('Error: a\n    at b (c.ts:1:1)'),
    new common.NamespaceNotFoundError('n').message.length > 0, new wf.ExternalStorageNotConfiguredError('e').name, new wf.LocalActivityDoBackoff(1, undefined as any).name, new wf.CompleteAsyncError().name,
    common.encodeApplicationFailureCategory(common.decodeApplicationFailureCategory(1)), common.encodeRetryState(common.decodeRetryState(5)), common.encodeTimeoutType(common.decodeTimeoutType(2)),
    caught(() => new common.ActivityCancellationDetails({ paused: true }).paused),
  ];
}
export async function options() {
  return [
    ...enums(common.RetryState, common.TimeoutType, common.SearchAttributeType, common.SuggestContinueAsNewReason, common.VersioningBehavior,
      common.InitialVersioningBehavior, common.SdkComponent, wf.WorkflowIdReusePolicy, wf.WorkflowIdConflictPolicy, wf.NexusOperationCancellationType),
    wf.encodeWorkflowIdReusePolicy(wf.decodeWorkflowIdReusePolicy(2)), wf.encodeWorkflowIdConflictPolicy(wf.decodeWorkflowIdConflictPolicy(3)),
    common.encodeVersioningBehavior(common.decodeVersioningBehavior(1)), common.encodeInitialVersioningBehavior(common.decodeInitialVersioningBehavior(1)),
    common.toCanonicalString({ deploymentName: 'd', buildId: 'b' }), common.convertDeploymentVersion({ deploymentName: 'd', buildId: 'b' })!.buildId,
    common.decodePriority(common.compilePriority({ priorityKey: 3, fairnessKey: 'f' })),
    common.decompileRetryPolicy(common.compileRetryPolicy({ initialInterval: '2s', maximumAttempts: 3 }))!.maximumAttempts,
    new common.TypedSearchAttributes([{ key: common.defineSearchAttributeKey('K', 'INT'), value: 1 }]).getAll().length,
    Object.keys(wf.addDefaultWorkflowOptions({ taskQueue: 'q' } as any)).sort().join(' '),
    wf.extractWorkflowTypeAndConfig('named'),
    [common.isWorkflowFunctionWithOptions(converters), common.isWorkflowFunctionWithStaticOptions(converters), common.isActivityFunctionWithOptions(converters)],
    typeof wf.defineWorkflowOptions(async function given() {}, { workflowDefinitionOptions: {} } as any),
    [wf.stackTraceQuery, wf.enhancedStackTraceQuery, wf.workflowMetadataQuery].map((q) => q.name),
    wf.NotAnActivityMethod.description,
  ];
}
export async function durations() {
  return [
    common.tsToMs(common.msToTs('1s')), common.tsToMs(common.msNumberToTs(5)), common.optionalTsToMs(undefined) ?? null, common.optionalTsToMs(common.msOptionalToTs('2s')),
    common.msOptionalToNumber('3s'), common.msToNumber('4s'), common.tsToDate(common.msToTs(0)).toISOString(), common.optionalTsToDate(null) ?? null,
  ];
}
export async function observers() {
  const said: any[] = [];
  const logger = common.LoggerWithComposedMetadata.compose({ log: (l: any, m: any, x: any) => said.push([l, m, x]), warn: (m: any, x: any) => said.push(['WARN', m, x]) } as any, { a: 1 });
  logger.warn('m', { b: 2 });
  common.noopMetricMeter.createCounter('c').add(1);
  common.MetricMeterWithComposedTags.compose(common.noopMetricMeter, { t: 1 }).createGauge('g').set(1);
  const group = wf.createEventGroup('g');
  await group.withScope(() => sleep(1));
  return [said, typeof common.ExternalStorage, new common.StorageDriverClaim({ a: 'b' }).claimData];
}
export async function nexusTypes() {
  const { HandlerError, HandlerErrorType, OperationError, HandlerStartOperationResult, serviceHandler, ServiceHandler, service, operation } = nexus;
  const svc = service('s', { op: operation<string, string>() });
  return [new HandlerError('BAD_REQUEST', 'm').type, HandlerErrorType.NOT_FOUND, new OperationError('failed', 'm').state, HandlerStartOperationResult.sync(1).value,
    typeof serviceHandler(svc, { async op() { return ''; } }), typeof ServiceHandler];
}
`)
	for name, want := range map[string]string{
		"converters": `[[1,"zwei"],"zwei",{"a":[1]},null,"{\"b\":2}","{\"c\":3}","bytes","\"d\"",10,"binary/null","encoding","messageType","4",5,["6"],"object",true,"7"]`,
		"failures": `["x",true,"T",[1],"Encoded failure","t","PayloadValidationError","Error: a\n    at b (c.ts:1:1)",true,` +
			`"ExternalStorageNotConfiguredError","LocalActivityDoBackoff","CompleteAsyncError",1,5,2,true]`,
		"options": `["IN_PROGRESS","START_TO_CLOSE","TEXT","HISTORY_SIZE_TOO_LARGE","PINNED","AUTO_UPGRADE","workflow","ALLOW_DUPLICATE","FAIL","ABANDON",` +
			`2,3,1,1,"d.b","b",{"priorityKey":3,"fairnessKey":"f","fairnessWeight":0},3,1,"args cancellationType taskQueue workflowId",{"type":"named"},` +
			`[false,false,false],"undefined",["__stack_trace","__enhanced_stack_trace","__temporal_workflow_metadata"],"__TEMPORAL_NOT_AN_ACTIVITY_METHOD"]`,
		"durations":  `[1000,5,null,2000,3000,4000,"1970-01-01T00:00:00.000Z",null]`,
		"observers":  `[[["WARN","m",{"a":1,"b":2}]],"function",{"a":"b"}]`,
		"nexusTypes": `["BAD_REQUEST","NOT_FOUND","failed",1,"object","function"]`,
	} {
		if got := p.run(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
}
