package sandbox

import (
	"fmt"
	"strings"

	failurepb "go.temporal.io/api/failure/v1"
	"google.golang.org/protobuf/proto"
)

const (
	// maxFailure is how large a failure may be: half of what a server takes by default, which puts
	// a word of its own in the place of a larger one, or ends the execution.
	maxFailure = 1 << 20
	// MaxMessage is how much is kept of a message or a stack of one that is larger, and of what the
	// service itself says of code: people read it.
	MaxMessage = 16 << 10
)

// BoundFailure gives a failure as it is or, if it is too large, with its texts cut, those of its
// causes too. Its details are the author's own business.
func BoundFailure(f *failurepb.Failure) *failurepb.Failure {
	if f == nil || proto.Size(f) <= maxFailure {
		return f
	}
	cut := proto.CloneOf(f)
	for x := cut; x != nil; x = x.GetCause() {
		x.Message, x.StackTrace = Shorten(x.GetMessage()), Shorten(x.GetStackTrace())
		if info := x.GetApplicationFailureInfo(); info != nil {
			info.Type = Shorten(info.GetType())
		}
	}
	return cut
}

// Shorten cuts a text to MaxMessage, and says so.
func Shorten(text string) string {
	if len(text) <= MaxMessage {
		return text
	}
	return fmt.Sprintf("%s… (%d more bytes)", strings.ToValidUTF8(text[:MaxMessage], ""), len(text)-MaxMessage)
}
