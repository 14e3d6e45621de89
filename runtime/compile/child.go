package compile

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"syscall"
	"time"
)

const (
	// childStack bounds the child's stack well below what the parent may use (1 GB), so that
	// whatever the child parsed the parent can parse too.
	childStack = 64 << 20
	// childMemory makes the child collect rather than grow.
	childMemory = 256 << 20
	// mostMemory is what one text may take of the heap: the largest that are honest take half of it. What
	// esbuild folds can double with each line, by gigabytes a second. mostData has the kernel refuse
	// more, for what comes faster than anybody looks; Go takes memory in pieces of 64 MB.
	mostMemory, mostData = 384 << 20, 640 << 20
	// childGC lets garbage gather while there is work: what lives is so little that collecting it
	// as often as Go does takes more time than compiling. Where there is none for restAfter, all is
	// given back.
	childGC   = 800
	restAfter = time.Second
)

// request and response are what parent and child say to each other, as gob over pipes.
type request struct {
	Name     string
	Kind     Kind
	Text     string
	Settings string
	// Budget is how much of the processor's time the answer may take, 0 for no limit: past it the
	// child ends.
	Budget time.Duration
	// Probe asks for no answer but that the child lives.
	Probe bool
	// Bundle is asked for instead, if it has names.
	Bundle bundleRequest
}

type response struct {
	Transformed transformed
	Bundled     bundled
	// Err is what is wrong with the text, BundleErr with the packages.
	Err       *Error
	BundleErr *bundleError
}

// Child is the child process: it reads requests from r and answers them on w until r ends. A text
// that overflows its stack ends the process; the parent then blames that text and starts another
// child.
func Child(r io.Reader, w io.Writer) error {
	// A text is small: what esbuild does on goroutines side by side takes longer than one after another.
	// Whoever has many texts has children side by side.
	procs := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(procs)
	return serve(r, w, childStack, mostMemory)
}

func serve(r io.Reader, w io.Writer, stack int, memory uint64) error {
	debug.SetMaxStack(stack)
	debug.SetMemoryLimit(childMemory)
	debug.SetGCPercent(childGC)
	rest := time.AfterFunc(restAfter, debug.FreeOSMemory)
	defer rest.Stop()
	in, out := gob.NewDecoder(bufio.NewReader(r)), bufio.NewWriter(w)
	enc := gob.NewEncoder(out)
	for {
		var q request
		if err := in.Decode(&q); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return fmt.Errorf("read a compile request: %w", err)
		}
		rest.Stop()
		most, data := memory, uint64(mostData)
		if len(q.Bundle.Names) > 0 { // packages are the operator's
			most, data = math.MaxUint64, math.MaxUint64
		}
		limitData(data)
		answered := within(q.Budget, most)
		r := answer(q)
		answered()
		rest.Reset(restAfter)
		if err := enc.Encode(r); err != nil {
			return fmt.Errorf("answer a compile request: %w", err)
		}
		if err := out.Flush(); err != nil {
			return fmt.Errorf("answer a compile request: %w", err)
		}
	}
}

// tooLongCode is how a child ends whose answer took more than its budget, tooMuchCode one that took
// more than mostMemory.
const tooLongCode, tooMuchCode = 75, 76

// within ends the process when it has used the budget of the processor's time before done is
// called, or so much of the heap. On the clock a text may take longer: whether the machine is
// busy isn't its matter.
func within(budget time.Duration, memory uint64) (done func()) {
	end := processorTime() + budget
	every := memoryTick
	if budget > 0 {
		every = max(min(budget/20, memoryTick), time.Millisecond)
	}
	answered := make(chan struct{})
	go func() {
		looks := time.NewTicker(every)
		defer looks.Stop()
		for {
			select {
			case <-answered:
				return
			case <-looks.C:
				if heap() > memory {
					os.Exit(tooMuchCode) //nolint:forbidigo // as below
				}
				if budget > 0 && processorTime() > end {
					os.Exit(tooLongCode) //nolint:forbidigo // it computes, and nothing else ends that
				}
			}
		}
	}()
	return func() { close(answered) }
}

// memoryTick is how often it is looked.
const memoryTick = 20 * time.Millisecond

// heap is what objects take, also those that nobody needs any more.
func heap() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// processorTime is what this process has used.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0 // then the parent's clock is the limit
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// answer transforms the text, learns what it tells and, to find out here what would end the parent,
// does with the result all that the parent does.
func answer(q request) response {
	if len(q.Bundle.Names) > 0 {
		return answerBundle(q.Bundle)
	}
	if q.Probe {
		parseScript(q.Text)
		return response{}
	}
	s := Source{Name: q.Name, Kind: q.Kind, Text: q.Text, Settings: q.Settings}
	t, tree, err := understand(s)
	if err == nil {
		_, err = link(s, t, tree)
	}
	if err == nil {
		t.Linked = true
		return response{Transformed: t}
	}
	var e *Error
	if !errors.As(err, &e) {
		e = &Error{File: s.Name, Message: err.Error()}
	}
	return response{Err: e}
}

// answerBundle does the same for packages.
func answerBundle(q bundleRequest) response {
	runtime.SetDefaultGOMAXPROCS() // hundreds of files; then the child ends
	b, err := bundle(q)
	if err == nil {
		_, err = load(StoredPackages{Kind: q.Kind, Names: q.Names, Code: b.Code, Map: string(b.Map)})
	}
	if err == nil {
		return response{Bundled: b}
	}
	var e *bundleError
	if !errors.As(err, &e) {
		e = &bundleError{Message: err.Error()}
	}
	return response{BundleErr: e}
}
