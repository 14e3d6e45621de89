package replay_test

import (
	"strings"
	"testing"

	"workflow-worker/runtime/replay"
)

func TestAHistoryIsReadHoweverTemporalWritesIt(t *testing.T) {
	t.Parallel()
	event := func(kind, input string) string {
		return `{"eventId":"1","eventType":"` + kind + `","somethingNew":1,"workflowExecutionStartedEventAttributes":{"workflowType":{"name":"order"},"taskQueue":{"name":"orders"},"input":` + input + `}}`
	}
	const newKind, oldKind = "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED", "WorkflowExecutionStarted"
	const whole, short = `{"payloads":[{"metadata":{"encoding":"anNvbi9wbGFpbg=="},"data":"IkFubiI="}]}`, `["Ann"]`
	for name, text := range map[string]string{
		"the command line's":     `{"events":[` + event(newKind, whole) + `]}`,
		"with enums of old":      `{"events":[` + event(oldKind, whole) + `]}`,
		"payloads in short":      `{"events":[` + event(newKind, short) + `]}`,
		"the HTTP API's answer":  `{"history":{"events":[` + event(newKind, short) + `]}}`,
		"… with a page's end":    `{"history":{"events":[` + event(newKind, whole) + `]},"nextPageToken":null}`,
		"events alone":           `[` + event(oldKind, whole) + `]`,
		"with a byte order mark": "\xef\xbb\xbf" + `{"events":[` + event(newKind, whole) + `]}` + "\r\n",
	} {
		h, err := replay.ReadFile(strings.NewReader(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		x, queue, err := replay.Told(h)
		input := h.GetEvents()[0].GetWorkflowExecutionStartedEventAttributes().GetInput().GetPayloads()
		if err != nil || x.Type != "order" || queue != "orders" || len(input) != 1 || string(input[0].GetData()) != `"Ann"` {
			t.Errorf("%s: %+v %s %v %v", name, x, queue, input, err)
		}
	}
	for text, says := range map[string]string{
		"":          "empty",
		"not JSON":  "no JSON",
		"\x1f\x8b":  "no JSON",
		`{"events"`: "no JSON",
		`{"history":{"events":[]},"nextPageToken":"abc"}`: "first page",
	} {
		if _, err := replay.ReadFile(strings.NewReader(text)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", text, err, says)
		}
	}
}
