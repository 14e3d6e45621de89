package metrics

import (
	"errors"
	"testing"
)

func TestAReasonSaysWhatTheSecondLineSays(t *testing.T) {
	t.Parallel()
	// As pgx words it: one line for each try.
	err := errors.New("failed to connect to `user=ann database=orders`:\n" +
		"\tlookup db: no such host\n\tlookup db: no such host\n\t10.0.0.1:5432 (db): password=secret refused")
	want := "failed to connect to `user=… database=orders`: lookup db: no such host; 10.0.0.1:5432 (db): password=… refused"
	if got := publicReason(err); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
