package wire

// Reasons are all that a workflow task may fail for: bounded in number, so that a metric can carry
// them.
func Reasons() []string {
	return []string{
		ReasonException, ReasonUnhandled, ReasonInterrupted, ReasonMemory, ReasonCallDepth, ReasonUnknownType, ReasonMissingCode,
		ReasonUnsupported, ReasonPayload, ReasonDiscarded, ReasonNondeterminism, ReasonTooLarge, ReasonDuplicateID,
		ReasonForeign, ReasonNotAwaited, ReasonRefused, ReasonQuarantined, ReasonNoTurn, ReasonInternal,
	}
}
