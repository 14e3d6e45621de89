package rows_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"workflow-worker/reconcile/rows"
	"workflow-worker/reconcile/rows/rowstest"
	"workflow-worker/runtime"
)

// texts is what a project would run, for comparison.
func texts(s *rows.Snapshot) string {
	var words []string
	for _, w := range s.Project.Workflows {
		words = append(words, w.KebabName+"="+w.Code)
	}
	for _, c := range s.Project.Components {
		words = append(words, fmt.Sprintf("%s(shared %t)=%s", c.Name, c.Shared, c.Code))
	}
	return strings.Join(words, " ")
}

func TestWhichRowsMakeAProject(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	nodes := func(ids ...string) string {
		var list []string
		for i, id := range ids {
			list = append(list, fmt.Sprintf(`{"id": "n%d", "data": {"componentId": %q}}`, i, id))
		}
		return "[" + strings.Join(list, ",") + "]"
	}
	tests := []struct {
		name  string
		write func(project, workflow string)
		want  string
	}{
		{"the active row of a workflow", func(string, string) {}, "order-intake=v1"},
		{"not one that is inactive", func(_, w string) {
			h.Exec(`UPDATE workflow_compiled_code SET is_active = false WHERE workflow_id = $1`, w)
		}, ""},
		{"of several active rows the one compiled last", func(_, w string) {
			h.Code(w, "3", "v3")
			h.Code(w, "2", "v2")
			h.Exec(`UPDATE workflow_compiled_code SET compiled_at = now() + version::int * interval '1 hour' WHERE workflow_id = $1`, w)
		}, "order-intake=v3"},
		{"of those compiled at once the one with the greatest id", func(_, w string) {
			h.Exec(`UPDATE workflow_compiled_code SET id = '00000000-0000-4000-8000-000000000000' WHERE workflow_id = $1`, w)
			h.Exec(`INSERT INTO workflow_compiled_code (id, workflow_id, version, workflow_code, activities_code, compiled_at)
				SELECT 'ffffffff-ffff-4fff-8fff-ffffffffffff', workflow_id, 'z', 'greatest', '', compiled_at FROM workflow_compiled_code WHERE workflow_id = $1`, w)
		}, "order-intake=greatest"},
		{"not those of an inactive workflow", func(_, w string) {
			h.Exec(`UPDATE workflows SET is_active = false WHERE id = $1`, w)
		}, ""},
		{"workflows in the order of their names", func(p, _ string) {
			h.Code(h.Workflow(p, "a-first"), "1", "x")
			h.Workflow(p, "without-code")
		}, "a-first=x order-intake=v1"},
		{"the project's own components, referred to or not", func(p, _ string) { h.Component(p, "score", "own") }, "order-intake=v1 score(shared false)=own"},
		{"not inactive ones, nor those without text", func(p, _ string) {
			h.Component(p, "empty", "")
			h.Exec(`UPDATE components SET is_active = false WHERE id = $1`, h.Component(p, "off", "x"))
			h.Exec(`UPDATE components SET implementation_code = NULL WHERE id = $1`, h.Component(p, "built-in", "x"))
		}, "order-intake=v1"},
		{"shared components that a definition names under nodes", func(_, w string) {
			h.Component("", "unreferred", "no")
			h.Exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', $2::jsonb) WHERE id = $1`, w, nodes(h.Component("", "score", "shared")))
		}, "order-intake=v1 score(shared true)=shared"},
		{"or under graph.nodes", func(_, w string) {
			h.Exec(`UPDATE workflows SET definition = jsonb_build_object('graph', jsonb_build_object('nodes', $2::jsonb)) WHERE id = $1`, w,
				nodes(strings.ToUpper(h.Component("", "score", "shared"))))
		}, "order-intake=v1 score(shared true)=shared"},
		{"own components before shared ones", func(p, w string) {
			h.Exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', $2::jsonb) WHERE id = $1`, w, nodes(h.Component("", "score", "shared")))
			h.Component(p, "score", "own")
		}, "order-intake=v1 score(shared false)=own score(shared true)=shared"},
		{"not another project's component, though referred to", func(_, w string) {
			h.Exec(`UPDATE workflows SET definition = jsonb_build_object('nodes', $2::jsonb) WHERE id = $1`, w, nodes(h.Component(h.Project(), "score", "foreign")))
		}, "order-intake=v1"},
		{"a definition of an inactive workflow refers to nothing", func(p, _ string) {
			w := h.Workflow(p, "off")
			h.Exec(`UPDATE workflows SET is_active = false, definition = jsonb_build_object('nodes', $2::jsonb) WHERE id = $1`, w, nodes(h.Component("", "score", "shared")))
		}, "order-intake=v1"},
		{"odd definitions hurt nobody", func(p, w string) {
			for i, d := range []string{`[]`, `"text"`, `null`, `{"nodes": "x"}`, `{"nodes": [1, null, {"data": 3}, {"data": {"componentId": 7}}, {"data": {"componentId": "not-a-uuid"}}]}`} {
				h.Exec(`UPDATE workflows SET definition = $2 WHERE id = $1`, h.Workflow(p, fmt.Sprint("w", i)), d)
			}
		}, "order-intake=v1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, w := h.Shop("v1")
			tt.write(p, w)
			if got := texts(h.Read(p, false)); got != tt.want {
				t.Errorf("would run %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWhatARequestSaysAboutRunning(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	for _, tt := range []struct {
		name, actions, forbidden string
	}{
		{"none", "", ""},
		{"stop", "stop", "stop request"},
		{"start after stop", "stop start", ""},
		{"restart after stop", "stop restart", ""},
		{"stop after start", "start stop", "stop request"},
		{"stop after many", strings.Repeat("start restart ", 20) + "stop", "stop request"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, _ := h.Shop("v1")
			for _, a := range strings.Fields(tt.actions) {
				h.Request(p, a)
			}
			// What became of a request doesn't change its meaning.
			h.Exec(`UPDATE worker_requests SET status = (ARRAY['pending', 'processing', 'completed', 'failed'])[1 + abs(hashtext(id::text)) % 4] WHERE project_id = $1`, p)
			if got := h.Read(p, false).Forbidden(); !strings.HasPrefix(got, tt.forbidden) || (got == "") != (tt.forbidden == "") {
				t.Errorf("forbidden by %q, want %q", got, tt.forbidden)
			}
		})
	}
	if s := h.Read(uuid.NewString(), false); s.Exists || s.Forbidden() == "" {
		t.Error("a project without a row may run")
	}
}

func TestTheLastGoodTextComesOnlyWhereItDiffers(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	p, w := h.Shop("new text")
	c := h.Component(p, "score", "new score")
	store := rows.NewCodeStore(h.DB)
	for _, m := range []runtime.StoredModule{
		{Hash: "w-old", Kind: "workflow", WorkflowID: w, Name: "order-intake", Version: "0", Code: "old text", ActivitiesCode: "old acts"},
		{Hash: "w-new", Kind: "workflow", WorkflowID: w, Name: "order-intake", Version: "1", Code: "new text"},
		{Hash: "c-old", Kind: "component", Name: "score", Code: "old score"},
	} {
		if err := store.Put(t.Context(), p, []runtime.StoredModule{m}); err != nil {
			t.Fatal(err)
		}
	}
	h.Exec(`INSERT INTO workflow_live_code (project_id, source_kind, source_id, hash) VALUES ($1, 'workflow', $2, 'w-old'), ($1, 'component', $3, 'c-old')`, p, w, c)

	s := h.Read(p, true)
	if got, want := s.Project.Workflows[0].LastGood, (runtime.StoredCode{Hash: "w-old", Version: "0", Code: "old text", ActivitiesCode: "old acts"}); got == nil || *got != want {
		t.Errorf("the workflow's last good text is %+v, want %+v", got, want)
	}
	if got := s.Project.Components[0].LastGood; got == nil || got.Code != "old score" {
		t.Errorf("the component's last good text is %+v, want old score", got)
	}
	if s := h.Read(p, false); s.Project.Workflows[0].LastGood != nil || s.Project.Components[0].LastGood != nil {
		t.Error("last good texts came unasked")
	}
	h.Exec(`UPDATE workflow_live_code SET hash = 'w-new' WHERE source_id = $1`, w)
	if got := h.Read(p, true).Project.Workflows[0].LastGood; got != nil {
		t.Errorf("the current text came a second time as last good: %+v", got)
	}
}

func TestAProjectIsReadInOneSnapshot(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	p, w := h.Shop("v1")
	err := pgx.BeginTxFunc(t.Context(), h.Pool, rows.SnapshotOptions, func(tx pgx.Tx) error {
		b := &pgx.Batch{}
		glanced := rows.QueueGlance(b, rows.Identity, p, nil)
		if err := tx.SendBatch(t.Context(), b).Close(); err != nil {
			return err
		}
		h.Exec(`UPDATE workflow_compiled_code SET workflow_code = 'v2' WHERE workflow_id = $1`, w)
		h.Exec(`UPDATE projects SET task_queue_name = 'moved' WHERE id = $1`, p)
		b = &pgx.Batch{}
		answer := rows.QueueSnapshot(b, p, false)
		if err := tx.SendBatch(t.Context(), b).Close(); err != nil {
			return err
		}
		s := answer(glanced())
		if texts(s) != "order-intake=v1" || s.TaskQueue == "moved" {
			t.Errorf("read %q on %s: a mixture of two states", texts(s), s.TaskQueue)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// However long what somebody writes is, this process reads no more of it than it can use: of a text enough
// for the compiler to say that it is too long.
func TestOfWhatIsTooLongNoMoreIsReadThanIsOfUse(t *testing.T) {
	t.Parallel()
	h := rowstest.New(t)
	p, w := h.Shop("v1")
	const long = 3 << 20
	h.Exec(`UPDATE projects SET name = repeat('n', $2) WHERE id = $1`, p, long)
	h.Exec(`UPDATE workflows SET display_name = repeat('d', $2) WHERE id = $1`, w, long)
	h.Exec(`UPDATE workflow_compiled_code SET workflow_code = repeat('w', $2), activities_code = repeat('a', $2) WHERE workflow_id = $1`, w, long)
	h.Exec(`INSERT INTO components (project_id, name, implementation_language, implementation_code) VALUES ($1, repeat('c', $2), repeat('l', $2), repeat('t', $2))`, p, long)
	s := h.Read(p, false)
	if len(s.Project.Workflows) != 1 || len(s.Project.Components) != 1 {
		t.Fatalf("there are %d workflows and %d components", len(s.Project.Workflows), len(s.Project.Components))
	}
	f, c := s.Project.Workflows[0], s.Project.Components[0]
	for what, got := range map[string]string{"the project's name": s.Name, "the workflow's": f.DisplayName, "the component's": c.Name, "its language": c.Language} {
		if len(got) != 1000 {
			t.Errorf("of %s are %d bytes", what, len(got))
		}
	}
	for what, got := range map[string]string{"the workflow's text": f.Code, "that of activities": f.ActivitiesCode, "the component's": c.Code} {
		if len(got) != 1<<20+1 {
			t.Errorf("of %s are %d bytes", what, len(got))
		}
	}
}
