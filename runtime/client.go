package runtime

import (
	"log/slog"
	"slices"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/converter"
	sdklog "go.temporal.io/sdk/log"

	"workflow-worker/runtime/workflow/wire"
)

// Logger is log as a Runner's client takes it: what the SDK tells is in the words of our own lines.
func Logger(log *slog.Logger) sdklog.Logger { return wire.Logger(log) }

// ClientOptions completes the options of a Runner's client: converters, how soon it is connected
// again, and what sees its workflow tasks, which Config.Tasks gets too.
func ClientOptions(o client.Options) (client.Options, *wire.Tasks) {
	o.DataConverter = DataConverter()
	o.FailureConverter = FailureConverter()
	tasks := wire.NewTasks()
	o.ConnectionOptions.DialOptions = append(slices.Clone(o.ConnectionOptions.DialOptions), tasks.DialOption(), wire.Reconnect(), wire.PrintableHeaders())
	return o, tasks
}

// DataConverter is Temporal's default converter, except that a *commonpb.Payloads passes unchanged,
// both ways: JavaScript converts its values itself, and Go in between must not.
func DataConverter() converter.DataConverter {
	return passThrough{converter.GetDefaultDataConverter()}
}

// FailureConverter is Temporal's default converter, except that a failed workflow task shows the
// author's stack and none of Go's.
func FailureConverter() converter.FailureConverter { return wire.FailureConverter(nil) }

type passThrough struct{ converter.DataConverter }

func (p passThrough) ToPayloads(values ...any) (*commonpb.Payloads, error) {
	if len(values) == 1 {
		if raw, ok := values[0].(*commonpb.Payloads); ok {
			return raw, nil
		}
	}
	return p.DataConverter.ToPayloads(values...)
}

func (p passThrough) FromPayloads(payloads *commonpb.Payloads, targets ...any) error {
	if len(targets) == 1 {
		if raw, ok := targets[0].(**commonpb.Payloads); ok {
			*raw = payloads
			return nil
		}
	}
	return p.DataConverter.FromPayloads(payloads, targets...)
}
