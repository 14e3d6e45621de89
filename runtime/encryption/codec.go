package encryption

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"
)

// Codec encrypts and decrypts payloads: as many as it is given, none of which it changes. An error
// that isn't [Unreadable] says that it can't now, and may later.
type Codec interface {
	Encode(context.Context, []*commonpb.Payload) ([]*commonpb.Payload, error)
	// Decode gives what it can't read as it is, beside an error that is Unreadable.
	Decode(context.Context, []*commonpb.Payload) ([]*commonpb.Payload, error)
}

const (
	encodingKey = "encoding"
	keyIDKey    = "encryption-key-id"
	encrypted   = "binary/encrypted"
)

// Unreadable says why a payload can't be read, now or later.
type Unreadable struct{ Reason string }

func (u Unreadable) Error() string { return u.Reason }

func isUnreadable(err error) bool {
	_, ok := errors.AsType[Unreadable](err)
	return ok
}

// State is a codec, and whether it can be reached.
type State struct {
	codec    Codec
	patience time.Duration

	asking sync.Mutex // one at a time asks whether it is back

	mu    sync.Mutex // guards what follows
	err   error      // nil while it can be reached
	asked time.Time
}

const (
	// patience is how long a message waits for a codec that was there a moment ago: about half of
	// what a workflow task may take.
	patience = 5 * time.Second
	// askAgain is how often one that is away is asked whether it is back.
	askAgain = time.Second
)

// NewState watches a codec.
func NewState(c Codec) *State { return &State{codec: c, patience: patience} }

// Away says why the codec can't be reached; nil if it can, as far as is known.
func (s *State) Away() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// note takes over what became of a question.
func (s *State) note(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = time.Now()
	if s.err = err; isUnreadable(err) {
		s.err = nil
	}
}

// ready says whether there is a codec to ask, of one that was away now and then.
func (s *State) ready(ctx context.Context) error {
	if s.Away() == nil {
		return nil
	}
	s.asking.Lock()
	defer s.asking.Unlock()
	s.mu.Lock()
	err, asked := s.err, s.asked
	s.mu.Unlock()
	if err == nil || time.Since(asked) < askAgain {
		return err
	}
	return s.Check(ctx)
}

// Check has something encrypted and decrypts it again.
func (s *State) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.patience)
	defer cancel()
	err := roundTrip(ctx, s.codec)
	s.note(err)
	return err
}

// Hides says whether what the codec makes of a payload is unlike it.
func (s *State) Hides(ctx context.Context) (bool, error) {
	hidden, err := encodeOne(ctx, s.codec)
	return err != nil || !bytes.Contains(hidden[0].GetData(), sample().GetData()), err
}

func sample() *commonpb.Payload {
	return &commonpb.Payload{Metadata: map[string][]byte{encodingKey: []byte("json/plain")}, Data: []byte(`"workflow-worker"`)}
}

func encodeOne(ctx context.Context, c Codec) ([]*commonpb.Payload, error) {
	hidden, err := c.Encode(ctx, []*commonpb.Payload{sample()})
	if err == nil && len(hidden) != 1 {
		err = fmt.Errorf("the codec gave %d payloads for 1", len(hidden))
	}
	return hidden, err
}

func roundTrip(ctx context.Context, c Codec) error {
	hidden, err := encodeOne(ctx, c)
	if err != nil {
		return err
	}
	back, err := c.Decode(ctx, hidden)
	if err == nil && (len(back) != 1 || !proto.Equal(back[0], sample())) {
		err = errors.New("the codec gives other payloads back than it was given")
	}
	return err
}

// tried asks the codec, again if it can't be reached. One that is known to be away is asked once.
func (s *State) tried(ctx context.Context, ask func(context.Context, []*commonpb.Payload) ([]*commonpb.Payload, error), payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	const first = 100 * time.Millisecond
	ctx, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	away := s.Away() != nil
	for pause := first; ; pause *= 2 {
		out, err := ask(ctx, payloads)
		if err == nil && len(out) != len(payloads) {
			err = fmt.Errorf("the codec gave %d payloads for %d", len(out), len(payloads))
		}
		if err == nil || isUnreadable(err) || away || !sleep(ctx, pause) {
			if !errors.Is(err, context.Canceled) { // the caller went away
				s.note(err)
			}
			return out, err
		}
	}
}

func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
