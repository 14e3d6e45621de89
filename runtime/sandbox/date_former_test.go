package sandbox

import (
	"context"
	"testing"
	"time"
)

// An execution that began before dates were read as V8 reads them may have gone on by what they
// gave then.
func TestExecutionsFromBeforeReadDatesAsTheyDid(t *testing.T) {
	t.Parallel()
	const text = `[new Date('1700000000000'), new Date(Date.parse('Jan 1 2000 10:00 CET')), new Date('2020-01-02T03:04:05.006z')].map(String).join()`
	for former, want := range map[bool]string{
		true: "Sat Jan 01 0000 00:00:00 GMT+0000 (Coordinated Universal Time),Sat Jan 01 2000 09:00:00 GMT+0000 (Coordinated Universal Time)," +
			"Thu Jan 02 2020 03:04:05 GMT+0000 (Coordinated Universal Time)",
		false: "Invalid Date,Invalid Date,Thu Jan 02 2020 03:04:05 GMT+0000 (Coordinated Universal Time)",
	} {
		v, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got string
		err = v.Enter(context.Background(), 10*time.Second, func() error {
			v.Former.Dates = former
			value, err := v.Runtime.RunString(text)
			if err == nil {
				got = value.String()
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("former %v: %s, want %s", former, got, want)
		}
	}
}
