package main

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	historypb "go.temporal.io/api/history/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/temporal"
	"google.golang.org/protobuf/proto"

	"workflow-worker/docker/stack/stacktest"
)

// sampleCodec is that of Temporal's encryption sample: AES-GCM with the nonce in front.
type sampleCodec struct {
	id   string // of the key that encrypts
	keys map[string][]byte
}

func sampleKeys(ids ...string) (c sampleCodec, setting string) {
	c = sampleCodec{ids[0], map[string][]byte{}}
	var list []string
	for _, id := range ids {
		c.keys[id] = []byte(strings.Repeat(id[:1], 32))
		list = append(list, id+":"+base64.StdEncoding.EncodeToString(c.keys[id]))
	}
	return c, strings.Join(list, ",")
}

func (c sampleCodec) gcm(id string) (cipher.AEAD, error) {
	block, err := aes.NewCipher(c.keys[id])
	if err != nil {
		return nil, fmt.Errorf("key %q: %w", id, err)
	}
	return cipher.NewGCM(block)
}

func (c sampleCodec) Encode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		gcm, err := c.gcm(c.id)
		if err != nil {
			return nil, err
		}
		text, err := proto.Marshal(p)
		if err != nil {
			return nil, err
		}
		nonce := make([]byte, gcm.NonceSize())
		if _, err := rand.Read(nonce); err != nil {
			return nil, err
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{"encoding": []byte("binary/encrypted"), "encryption-key-id": []byte(c.id)},
			Data:     gcm.Seal(nonce, nonce, text, nil),
		}
	}
	return out, nil
}

func (c sampleCodec) Decode(payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		if out[i] = p; string(p.GetMetadata()["encoding"]) != "binary/encrypted" {
			continue
		}
		gcm, err := c.gcm(string(p.GetMetadata()["encryption-key-id"]))
		if err != nil {
			return nil, err
		}
		text, err := gcm.Open(nil, p.GetData()[:gcm.NonceSize()], p.GetData()[gcm.NonceSize():], nil)
		if err != nil {
			return nil, err
		}
		out[i] = &commonpb.Payload{}
		if err := proto.Unmarshal(text, out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// clientWith is a client that has a codec.
func clientWith(t testing.TB, codec converter.PayloadCodec) client.Client {
	t.Helper()
	data := converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), codec)
	c, err := client.Dial(client.Options{
		HostPort: stacktest.TemporalAddress(t), Logger: silent{}, DataConverter: data,
		FailureConverter: temporal.NewDefaultFailureConverter(temporal.DefaultFailureConverterOptions{DataConverter: data, EncodeCommonAttributes: true}),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// stored is all that Temporal has of an execution, as bytes.
func (p *project) stored(run client.WorkflowRun) []byte {
	p.t.Helper()
	plain := stacktest.TemporalClient(p.t)
	d, err := plain.DescribeWorkflowExecution(p.t.Context(), run.GetID(), run.GetRunID())
	if err != nil {
		p.t.Fatal(err)
	}
	as := *p
	as.temporal = plain
	b, err := proto.Marshal(&historypb.History{Events: as.history(run)})
	if err != nil {
		p.t.Fatal(err)
	}
	info, err := proto.Marshal(d)
	if err != nil {
		p.t.Fatal(err)
	}
	return append(b, info...)
}

// unreadable checks that nothing secret is in what Temporal has.
func (p *project) unreadable(run client.WorkflowRun) {
	p.t.Helper()
	b := p.stored(run)
	if i := bytes.Index(b, []byte("hidden")); i >= 0 {
		p.t.Errorf("Temporal can read of %s: %q", run.GetID(), b[max(0, i-200):min(len(b), i+200)])
	}
	if !bytes.Contains(b, []byte("binary/encrypted")) {
		p.t.Errorf("nothing of %s is encrypted", run.GetID())
	}
}

const secretive = `
import { proxyActivities, proxyLocalActivities, condition, defineSignal, defineQuery, defineUpdate, setHandler, upsertMemo, workflowInfo,
  executeChild, continueAsNew, patched, uuid4, ApplicationFailure, sleep } from '@temporalio/workflow';
const { slow, fails } = proxyActivities<any>({ startToCloseTimeout: '1m', heartbeatTimeout: '30s', retry: { maximumAttempts: 2, initialInterval: '10ms' } });
const { near } = proxyLocalActivities<any>({ startToCloseTimeout: '10s' });
export async function secretive(input: any, again?: boolean): Promise<any> {
  const seen: any[] = [];
  let done = false;
  setHandler(defineSignal<[any]>('tell'), (v) => { seen.push(v); });
  setHandler(defineSignal('finish'), () => { done = true; });
  setHandler(defineQuery<any, [string]>('ask'), (v) => { if (v === 'hidden-bad') throw new Error('hidden-query-error'); return { v, seen }; });
  setHandler(defineUpdate<any, [string]>('change'), async (v) => { await sleep(1); seen.push(v); return 'hidden-update-' + v; },
    { validator: (v) => { if (v === 'hidden-bad') throw new Error('hidden-rejection'); } });
  if (!again) return continueAsNew<typeof secretive>(input, true);
  upsertMemo({ note: 'hidden-upserted' });
  patched('shown-patch');
  seen.push(uuid4().length, await near('hidden-local'), await slow('hidden-input'), await executeChild(child, { args: ['hidden-child'] }));
  try { await fails('hidden-argument'); } catch (e: any) { seen.push(e.cause.message); }
  try { await executeChild(child, { args: ['hidden-bad'] }); } catch (e: any) { seen.push(e.cause.message); }
  await condition(() => done);
  if (input.fail) throw ApplicationFailure.create({ message: 'hidden-failure', type: 'Shown', details: ['hidden-detail'], nonRetryable: true });
  return { seen, memo: workflowInfo().memo, input };
}
export async function child(v: string): Promise<string> {
  if (v === 'hidden-bad') throw ApplicationFailure.nonRetryable('hidden-child-error');
  return v + '!';
}`

const secretiveActivities = `
import { Context, ApplicationFailure } from '@temporalio/activity';
export async function slow(v: string) { Context.current().heartbeat({ at: 'hidden-progress' }); await Context.current().sleep(50); return v + '-hidden-result'; }
export async function near(v: string) { return v; }
export async function fails(v: string) {
  Context.current().heartbeat('hidden-heartbeat');
  throw ApplicationFailure.create({ message: 'hidden-activity-error ' + v, details: ['hidden-detail'] });
}`

func secretiveProject(b *builder) (*project, *workflow) {
	p := b.project()
	for _, name := range []string{"slow", "near", "fails"} {
		p.component(name, secretiveActivities)
	}
	return p, p.workflow("secretive", secretive)
}

// All that an execution takes and gives can be read by who has the key, and by nobody else; what
// began before goes on, and what began with a former key.
func TestTemporalCanReadNothingOfEncryptedExecutions(t *testing.T) {
	t.Parallel()
	db := stacktest.MigratedDatabase(t)
	before := startService(t, db)
	p, w := secretiveProject(newBuilder(t, db))
	p.running(nil)
	old := p.start("secretive", map[string]any{"early": true})
	p.mustAsk(old, "early", "v:early")
	before.stop(syscall.SIGTERM)

	first, setting := sampleKeys("first")
	dir := t.TempDir()
	keys := file(t, dir, "keys", setting+"\n")
	s := startService(t, db, "PAYLOAD_ENCRYPTION_KEYS_FILE="+keys, "PAYLOAD_ENCRYPT_FAILURES=true", "LOG_LEVEL=debug")
	p.running(nil)
	p.temporal = clientWith(t, first)

	run, err := p.temporal.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: "secretive-" + p.id, TaskQueue: p.taskQueue, Memo: map[string]any{"given": "hidden-memo"}, StaticSummary: "hidden-summary",
	}, "secretive", map[string]any{"secret": "hidden-in"})
	if err != nil {
		t.Fatal(err)
	}
	newest := func(run client.WorkflowRun) client.WorkflowRun {
		return p.temporal.GetWorkflow(t.Context(), run.GetID(), "")
	}
	p.mustAsk(run, "hidden-question", "v:hidden-question", "hidden-child!")
	p.tell(run, "tell", map[string]any{"x": "hidden-signal"})
	p.mustAsk(run, "again", "hidden-signal")
	_, err = p.temporal.QueryWorkflow(t.Context(), run.GetID(), "", "ask", "hidden-bad")
	if err == nil {
		t.Error("the query didn't fail")
	}
	if err := p.update(run, "hidden-bad", ""); err == nil || !strings.Contains(err.Error(), "hidden-rejection") {
		t.Errorf("the update's rejection says %v", err)
	}
	if err := p.update(run, "v", "hidden-update-v"); err != nil {
		t.Error(err)
	}
	d, err := p.temporal.DescribeWorkflow(t.Context(), run.GetID(), "")
	var memo string
	if err != nil || d.Memo == nil || converter.NewCodecDataConverter(converter.GetDefaultDataConverter(), first).FromPayload(d.Memo.GetFields()["note"], &memo) != nil || memo != "hidden-upserted" {
		t.Errorf("memo %v, %v", d, err)
	}
	// Search attributes are the server's to read.
	eventually(t, "the patch is found", func() error {
		found, err := p.temporal.CountWorkflow(t.Context(), &workflowservice.CountWorkflowExecutionsRequest{
			Query: fmt.Sprintf("TaskQueue = '%s' AND TemporalChangeVersion = 'shown-patch' AND WorkflowId = '%s'", p.taskQueue, run.GetID()),
		})
		if err == nil && found.GetCount() == 0 {
			err = errors.New("not yet")
		}
		return err
	})
	failing := p.start("secretive", map[string]any{"fail": true})
	p.mustAsk(failing, "x", "hidden-child!")

	t.Log("the commands have the key, too")
	environment := map[string]string{"DATABASE_URL": db, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull, "PAYLOAD_ENCRYPTION_KEYS": setting}
	same := file(t, dir, "secretive.ts", secretive+"\n// a remark")
	for _, args := range [][]string{{"replay", "--workflow-id", run.GetID()}, {"replay", "--workflow-id", run.GetID(), "--code", same}} {
		if code, out, errs := calls(environment, args...); code != exitDone || !strings.Contains(out, "fits secretive") {
			t.Errorf("%v: %d %s %s", args, code, out, errs)
		}
	}
	eventually(t, "the executions are found", func() error {
		if code, out, errs := calls(environment, "check", "--against", p.id, same); code != exitDone || !strings.Contains(out, "3 open executions tried, 0 would break") {
			return fmt.Errorf("%d %s %s", code, out, errs)
		}
		return nil
	})
	plain := *p
	plain.temporal = stacktest.TemporalClient(t)
	exported := file(t, dir, "history.json", plain.historyJSON(newest(run)))
	if code, out, errs := calls(map[string]string{"PAYLOAD_ENCRYPTION_KEYS": setting}, "replay", "--history", exported, "--code", same); code != exitDone || !strings.Contains(out, "fits secretive") {
		t.Errorf("%d %s %s", code, out, errs)
	}
	_, strange := sampleKeys("other")
	environment["PAYLOAD_ENCRYPTION_KEYS"] = strange
	if code, _, errs := calls(environment, "replay", "--workflow-id", run.GetID()); code == exitDone || !strings.Contains(errs, `encrypted with the key "first"`) {
		t.Errorf("with another key: %d %s", code, errs)
	}

	t.Log("a new key, without a restart")
	both, setting := sampleKeys("second", "first")
	file(t, dir, "keys", setting+"\n")
	p.temporal = clientWith(t, both)
	eventually(t, "it is used", func() error {
		r := newest(run)
		if err := p.update(r, "later", "hidden-update-later"); err != nil {
			return err
		}
		if !bytes.Contains(p.stored(r), []byte("second")) {
			return errors.New("not yet")
		}
		return nil
	})
	w.exec(`UPDATE workflow_compiled_code SET workflow_code = $2, version = '2' WHERE id = $1`, w.codeID, secretive+"\n// another remark")
	p.running(liveVersion("secretive", "2"))

	t.Log("rows show no values")
	row := w.starts(`{"secret": "shown"}`, nil)
	eventually(t, "the row's execution runs", func() error {
		x, err := p.execution(row)
		if err == nil && x.RunID == "" {
			err = fmt.Errorf("%+v", x)
		}
		return err
	})
	if status, answer, reason := p.asksOf(row, "query", "ask", `["hidden-bad"]`); status != "failed" || strings.Contains(answer+reason, "hidden-") {
		t.Errorf("%s %s %s", status, answer, reason)
	}
	if status, answer, _ := p.asksOf(row, "query", "ask", `["v"]`); status != "completed" || answer != hiddenValue {
		t.Errorf("%s %s", status, answer)
	}
	p.asksOf(row, "signal", "finish", nil)
	if x := p.becomes(row, "completed"); x.Output != hiddenValue {
		t.Errorf("the row says %+v", x)
	}

	t.Log("all end")
	for _, r := range []client.WorkflowRun{old, run, failing} {
		p.tell(r, "finish", nil)
	}
	got := fmt.Sprint(result[map[string]any](p, newest(run)))
	for _, want := range []string{
		"hidden-local", "hidden-input-hidden-result", "hidden-child!", "hidden-activity-error hidden-argument", "hidden-child-error", "hidden-signal",
		"note:hidden-upserted", "given:hidden-memo", "secret:hidden-in",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s isn't in %s", want, got)
		}
	}
	if got := result[map[string]any](p, newest(old)); !strings.Contains(fmt.Sprint(got["input"]), "early:true") {
		t.Errorf("what began before says %v", got)
	}
	var failure *temporal.ApplicationError
	var detail string
	err = newest(failing).Get(t.Context(), nil)
	if !errors.As(err, &failure) || failure.Message() != "hidden-failure" || failure.Details(&detail) != nil || detail != "hidden-detail" {
		t.Errorf("it failed with %v", err)
	}
	// Also the runs that they continued, and their children.
	for _, r := range []client.WorkflowRun{run, newest(run), newest(failing)} {
		p.unreadable(r)
		for _, e := range p.history(r) {
			if a := e.GetChildWorkflowExecutionStartedEventAttributes(); a != nil {
				p.unreadable(p.temporal.GetWorkflow(t.Context(), a.GetWorkflowExecution().GetWorkflowId(), a.GetWorkflowExecution().GetRunId()))
			}
		}
	}
	p.noFailedTasks(newest(run))
	if i := strings.Index(s.output(), base64.StdEncoding.EncodeToString(first.keys["first"])); i >= 0 {
		t.Error("a key is in the log")
	}
	for _, path := range []string{"/health", "/metrics"} {
		if _, body, err := s.get(path); err != nil || strings.Contains(body, "hidden-") || strings.Contains(body, base64.StdEncoding.EncodeToString(first.keys["first"])) {
			t.Errorf("%s tells a secret, or %v", path, err)
		}
	}
}

const hiddenValue = `{"omitted": "values are hidden: payloads are encrypted (RECORD_VALUES)"}`

func (p *project) tell(run client.WorkflowRun, name string, value any) {
	p.t.Helper()
	if err := p.temporal.SignalWorkflow(p.t.Context(), run.GetID(), "", name, value); err != nil {
		p.t.Fatal(err)
	}
}

func (p *project) update(run client.WorkflowRun, value, want string) error {
	h, err := p.temporal.UpdateWorkflow(p.t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: run.GetID(), UpdateName: "change", Args: []any{value}, WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	var got string
	if err == nil {
		err = h.Get(p.t.Context(), &got)
	}
	if err == nil && got != want {
		err = fmt.Errorf("the update gave %q", got)
	}
	return err
}

// mustAsk waits until a query's answer holds some words.
func (p *project) mustAsk(run client.WorkflowRun, question string, words ...string) {
	p.t.Helper()
	eventually(p.t, question+" is answered", func() error {
		v, err := p.temporal.QueryWorkflow(p.t.Context(), run.GetID(), "", "ask", question)
		var got map[string]any
		if err == nil {
			err = v.Get(&got)
		}
		if err != nil {
			return err
		}
		text := fmt.Sprint(got)
		for _, w := range words {
			if !strings.Contains(text, w) {
				return fmt.Errorf("%s isn't in %s", w, text)
			}
		}
		return nil
	})
}

// A codec server that is away stops what needs it, and nothing is lost; health and doctor say so.
func TestACodecServerMayBeAwayForAWhile(t *testing.T) {
	t.Parallel()
	codec, _ := sampleKeys("first")
	handler := converter.NewPayloadCodecHTTPHandler(codec)
	var away atomic.Bool
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch {
		case away.Load():
			http.Error(w, "hidden", http.StatusBadGateway)
		case r.Header.Get("X-Namespace") != "default" || r.Header.Get("Authorization") != "Bearer hidden-token":
			http.Error(w, "who is it?", http.StatusUnauthorized)
		default:
			handler.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	token := file(t, t.TempDir(), "token", "Bearer hidden-token\n")
	db := stacktest.MigratedDatabase(t)
	s := startService(t, db, "PAYLOAD_CODEC_ENDPOINT="+server.URL, "PAYLOAD_CODEC_AUTH_FILE="+token)
	p, _ := secretiveProject(newBuilder(t, db))
	p.component("holds", `
import { Context } from '@temporalio/activity';
export async function holds(url: string) { await Context.current().heartbeat('hidden'); await fetch(url); return 'hidden-done'; }`)
	p.workflow("holding", `
import { proxyActivities } from '@temporalio/workflow';
const { holds } = proxyActivities<any>({ startToCloseTimeout: '5m', retry: { maximumAttempts: 1 } });
export async function holding(url: string) { return holds(url); }`)
	p.running(func(w workerRow) error {
		_, err := source(w, "holding")
		return err
	})
	p.temporal = clientWith(t, codec)
	release := make(chan struct{})
	gate := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(gate.Close)
	underWay := p.start("holding", gate.URL)
	p.works(underWay)
	waiting := p.start("secretive", map[string]any{"secret": "hidden-in"})
	p.mustAsk(waiting, "x", "hidden-child!")

	away.Store(true)
	close(release)
	eventually(t, "health says so", s.health(http.StatusServiceUnavailable, `service.payloads_cant_be_encrypted_or_decrypted`, "502 Bad Gateway"))
	later := p.start("secretive", map[string]any{"secret": "hidden-later"})
	p.tell(waiting, "finish", nil)
	environment := map[string]string{"DATABASE_URL": db, "TEMPORAL_ADDRESS": stacktest.TemporalAddress(t), "TEMPORAL_CONFIG_FILE": os.DevNull,
		"PAYLOAD_CODEC_ENDPOINT": server.URL, "PAYLOAD_CODEC_AUTH": "Bearer hidden-token"}
	if code, out, _ := calls(environment, "doctor", "--short"); code != exitFindings || !strings.Contains(out, "payloads.codec") || !strings.Contains(out, "502") || strings.Contains(out, "hidden") {
		t.Errorf("%d %s", code, out)
	}
	away.Store(false)
	eventually(t, "it is well again", s.health(http.StatusOK, `"status":"ok"`))
	p.mustAsk(later, "x", "hidden-child!") // its second run: the first takes no signal along
	p.tell(later, "finish", nil)
	if got := result[string](p, underWay); got != "hidden-done" {
		t.Errorf("the activity gave %s", got)
	}
	for _, run := range []client.WorkflowRun{waiting, later} {
		newest := p.temporal.GetWorkflow(t.Context(), run.GetID(), "")
		if got := fmt.Sprint(result[map[string]any](p, newest)); !strings.Contains(got, "hidden-child!") {
			t.Error(got)
		}
		// Without PAYLOAD_ENCRYPT_FAILURES what failures say is the server's to read, their details aren't.
		if b := p.stored(newest); bytes.Contains(b, []byte("hidden-detail")) || !bytes.Contains(b, []byte("hidden-activity-error")) {
			t.Errorf("failures of %s: %q", run.GetID(), b)
		}
	}
	p.unreadable(underWay)
	if slices.ContainsFunc(p.history(underWay), func(e *historypb.HistoryEvent) bool {
		return e.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_FAILED || e.GetEventType() == enumspb.EVENT_TYPE_ACTIVITY_TASK_TIMED_OUT
	}) {
		t.Errorf("the activity's result was lost: %s", p.describe(underWay))
	}
	if code, out, _ := calls(environment, "doctor", "--skip", "tls.temporal"); !strings.Contains(out, "payloads.hidden") {
		t.Errorf("%d %s", code, out)
	}
	if strings.Contains(s.output(), "hidden-token") {
		t.Error("the log tells the token")
	}
}

func TestMistakesInTheSettingsOfPayloadsTellNoSecret(t *testing.T) {
	t.Parallel()
	code, _, said := calls(map[string]string{
		"DATABASE_URL": "postgres://u@h/d", "PAYLOAD_ENCRYPTION_KEYS": "one:hidden", "PAYLOAD_CODEC_ENDPOINT": "https://u:hidden@codec", "PAYLOAD_CODEC_AUTH": "hidden",
		"RECORD_VALUES": "some",
	}, "run")
	for _, want := range []string{
		`PAYLOAD_ENCRYPTION_KEYS: key "one" isn't 32 bytes in base64`, "PAYLOAD_CODEC_ENDPOINT: it is a URL with more than", "are both set: one of them encrypts",
		`RECORD_VALUES is "some"`,
	} {
		if code != exitSettings || !strings.Contains(said, want) {
			t.Errorf("%d, %q is not in\n%s", code, want, said)
		}
	}
	if strings.Contains(said, "hidden") {
		t.Errorf("the error tells a secret: %s", said)
	}
	_, _, said = calls(map[string]string{"DATABASE_URL": "postgres://u@h/d", "PAYLOAD_CODEC_AUTH": "hidden", "PAYLOAD_ENCRYPT_FAILURES": "true"}, "run")
	for _, want := range []string{"PAYLOAD_CODEC_AUTH takes PAYLOAD_CODEC_ENDPOINT", "PAYLOAD_ENCRYPT_FAILURES takes"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
}

// What is encrypted for Temporal is in plain text in no row, unless that is wished.
func TestRowsShowValuesUnlessPayloadsAreEncrypted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		s    settings
		want bool
	}{
		{settings{}, true}, {settings{RecordValues: recordNone}, false},
		{settings{PayloadKeys: "k"}, false}, {settings{PayloadCodec: "u"}, false}, {settings{PayloadKeys: "k", RecordValues: recordPlain}, true},
	} {
		if got := c.s.recordsValues(); got != c.want {
			t.Errorf("%+v: %v", c.s, got)
		}
	}
}
