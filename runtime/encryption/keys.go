package encryption

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"google.golang.org/protobuf/proto"

	"workflow-worker/runtime/logkey"
)

// keySize is AES-256's.
const keySize = 32

// keyRing is a list of keys: the first encrypts, any of them decrypts.
type keyRing struct {
	text  string
	first string
	byID  map[string]cipher.AEAD
}

// CheckKeys says what is wrong with "id:base64,id:base64". It tells no key.
func CheckKeys(text string) error {
	_, err := parseKeys(text)
	return err
}

func parseKeys(text string) (*keyRing, error) {
	r := &keyRing{text: text, byID: map[string]cipher.AEAD{}}
	for i, part := range strings.FieldsFunc(text, func(c rune) bool { return c == ',' || c == '\n' || c == '\r' }) {
		id, secret, ok := strings.Cut(strings.TrimSpace(part), ":")
		if !ok || id == "" {
			return nil, fmt.Errorf("key %d isn't an id, a colon and the key in base64", i+1)
		}
		if _, twice := r.byID[id]; twice {
			return nil, fmt.Errorf("key %q is there twice", id)
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(secret))
		if err != nil || len(raw) != keySize {
			return nil, fmt.Errorf("key %q isn't %d bytes in base64 (openssl rand -base64 %d)", id, keySize, keySize)
		}
		block, err := aes.NewCipher(raw)
		if err != nil {
			return nil, fmt.Errorf("key %q: %w", id, err)
		}
		if r.byID[id], err = cipher.NewGCM(block); err != nil {
			return nil, fmt.Errorf("key %q: %w", id, err)
		}
		if r.first == "" {
			r.first = id
		}
	}
	if r.first == "" {
		return nil, errors.New("there is no key")
	}
	return r, nil
}

// Keys are a Codec of the keys that somebody holds, who may change them.
type Keys struct {
	read func() (string, error)
	log  *slog.Logger

	mu     sync.Mutex // guards what follows
	ring   *keyRing
	looked time.Time
	told   map[string]bool // what was logged once
}

var _ Codec = (*Keys)(nil)

// keysFor is how long keys count as they were read: they are asked for with every message.
const keysFor = time.Second

// NewKeys reads "id:base64,id:base64" with read, now and, from time to time, again: new keys count
// within a second. A nil logger discards.
func NewKeys(read func() (string, error), log *slog.Logger) (*Keys, error) {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	text, err := read()
	if err != nil {
		return nil, err
	}
	ring, err := parseKeys(text)
	if err != nil {
		return nil, err
	}
	return &Keys{read: read, log: log, ring: ring, looked: time.Now(), told: map[string]bool{}}, nil
}

// current gives the keys, read so long ago at most. Those that can't be read, while somebody changes
// them, leave the former.
func (k *Keys) current(age time.Duration) *keyRing {
	k.mu.Lock()
	defer k.mu.Unlock()
	if time.Since(k.looked) < age {
		return k.ring
	}
	k.looked = time.Now()
	text, err := k.read()
	if err == nil && text != k.ring.text {
		var ring *keyRing
		if ring, err = parseKeys(text); err == nil {
			k.ring = ring
			k.told = map[string]bool{}
			k.log.Info("the keys for payloads have changed", slog.String(logkey.Key, ring.first))
		}
	}
	if err != nil && !k.told[err.Error()] && len(k.told) < maxTold {
		k.told[err.Error()] = true
		k.log.Error("the keys for payloads can't be read again: the former count", slog.String(logkey.ID, "payloads.keys"), slog.String(logkey.Error, err.Error()))
	}
	return k.ring
}

// Encode implements Codec.
func (k *Keys) Encode(_ context.Context, payloads []*commonpb.Payload) ([]*commonpb.Payload, error) {
	ring := k.current(keysFor)
	gcm := ring.byID[ring.first]
	out := make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		plain, err := proto.Marshal(p)
		if err != nil {
			return nil, fmt.Errorf("encrypt a payload: %w", err)
		}
		nonce := make([]byte, gcm.NonceSize(), gcm.NonceSize()+len(plain)+gcm.Overhead())
		if _, err := rand.Read(nonce); err != nil {
			return nil, fmt.Errorf("encrypt a payload: %w", err)
		}
		out[i] = &commonpb.Payload{
			Metadata: map[string][]byte{encodingKey: []byte(encrypted), keyIDKey: []byte(ring.first)},
			Data:     gcm.Seal(nonce, nonce, plain, nil),
		}
	}
	return out, nil
}

// Decode implements Codec.
func (k *Keys) Decode(_ context.Context, payloads []*commonpb.Payload) (out []*commonpb.Payload, err error) {
	ring := k.current(keysFor)
	if slices.ContainsFunc(payloads, ring.lacks) {
		ring = k.current(0) // somebody else has the new ones already
	}
	out = make([]*commonpb.Payload, len(payloads))
	for i, p := range payloads {
		out[i] = p
		if string(p.GetMetadata()[encodingKey]) != encrypted {
			continue
		}
		plain, why := ring.open(p)
		if why != nil {
			err = Unreadable{fmt.Sprintf("a payload is encrypted with the key %.100q: %v", p.GetMetadata()[keyIDKey], why)}
			k.tell(string(p.GetMetadata()[keyIDKey]), why)
			continue
		}
		out[i] = plain
	}
	return out, err
}

// lacks says that a payload has a key that isn't here.
func (r *keyRing) lacks(p *commonpb.Payload) bool {
	return string(p.GetMetadata()[encodingKey]) == encrypted && r.byID[string(p.GetMetadata()[keyIDKey])] == nil
}

func (r *keyRing) open(p *commonpb.Payload) (*commonpb.Payload, error) {
	gcm, ok := r.byID[string(p.GetMetadata()[keyIDKey])]
	if !ok {
		return nil, errors.New("there is no key of that id here")
	}
	if len(p.GetData()) < gcm.NonceSize() {
		return nil, errors.New("it is cut off")
	}
	plain, err := gcm.Open(nil, p.GetData()[:gcm.NonceSize()], p.GetData()[gcm.NonceSize():], nil)
	if err != nil {
		return nil, errors.New("the key here of that id is another, or the payload was changed")
	}
	out := &commonpb.Payload{}
	if err := proto.Unmarshal(plain, out); err != nil {
		return nil, errors.New("what is in it is no payload")
	}
	return out, nil
}

// maxTold bounds what is remembered: ids are anybody's to make up.
const maxTold = 100

// tell logs the first payload of each key that can't be read.
func (k *Keys) tell(id string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.told["key "+id] || len(k.told) >= maxTold {
		return
	}
	k.told["key "+id] = true
	k.log.Error("a payload can't be decrypted", slog.String(logkey.ID, "payloads.key"), slog.String(logkey.Key, id), slog.String(logkey.Error, err.Error()))
}
