package sandbox

import (
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// memoryTick is how often the heap is looked at while JavaScript runs.
	memoryTick = 10 * time.Millisecond
	// bytesPerSecond is how fast goja fills the heap with what stays, at most: what it took little
	// time for can't be much.
	bytesPerSecond = 2 << 30
	// collectionShare is the part of the time that forced collections may take.
	collectionShare = 0.1
	// timesBeyond is how many times its limit a VM may have filled before a collection is forced in
	// any case: below twice, as that is what hoarding may cost the process.
	timesBeyond = 1.25
	// handedShare is the part of its limit that Go may make for a VM before a collection is forced.
	handedShare = 0.5
	// settling is how many collections it takes until what a closed account kept is gone, and with
	// it what others were charged with in its place.
	settling = 2
	// patience is how long an account that was ended may stay open.
	patience = 200 * time.Millisecond
	// leastBlamed is what an execution must have been charged with to be ended because the process
	// is short of memory.
	leastBlamed = 16 << 20
	// negligible is what nobody is charged with: the accounts of thousands of executions that rest
	// needn't be gone through.
	negligible = 256 << 10
	// oneGo is the part of its limit that what lasts must have taken in one entry to be ended.
	oneGo = 0.5
	// relief is the part of the process's limit down to which is let go of what can be made again.
	relief = 0.9
	// beyondRelief is how far beyond its limit the process doesn't wait for that.
	beyondRelief = 1.1
	// reliefPause is after how long it is asked for again where there was nothing to let go of:
	// there is more by then.
	reliefPause = time.Second
)

// MemoryOptions configure a Memory.
type MemoryOptions struct {
	// PerVM is what each VM may keep that has no budget of its own, in bytes. 0: no limit.
	PerVM int64
	// Process is how large the live heap of the process may become before something is done about
	// it: what can be made again is let go of, and then the VM that is charged with most is ended.
	// 0: no limit.
	Process int64
	// Relieve lets go of what can be made again, about so many bytes, and tells how many it was. It
	// is called from one goroutine at a time. Default: there is nothing.
	Relieve func(bytes int64) int64
}

// Budget is what a VM may keep, or what one of those may that use it in turns.
type Budget struct {
	// Bytes: 0 is MemoryOptions.PerVM.
	Bytes int64
	// Setting is whose value that is, for people; may be "".
	Setting string
	// Lasting is for what lives through many entries, for days: the errors of the estimate add up.
	// It is ended for what it took in one entry alone; else it is told to be made again (see
	// Account.Doubtful).
	Lasting bool
}

// Memory watches how the heap of the process grows while JavaScript runs, charges the growth to the
// VMs that ran, and interrupts the one that is charged with more than it may have.
//
// goja doesn't count what a runtime allocates, and the Go runtime doesn't count it by goroutine.
// What is known exactly is the live heap after each collection, the CPU time that each VM took in
// between, and the bytes that Go handed to it. The growth is divided by these, and nobody is
// charged with more than could be filled in the time that it took. So the figures are estimates,
// but code that computes for a few milliseconds can't be mistaken for code that hoards.
//
// Where all VMs are still, nothing is looked at. It is safe for concurrent use.
type Memory struct {
	opts MemoryOptions

	mu       sync.Mutex // guards what follows, and the accounts
	entries  map[*entry]struct{}
	accounts map[*Account]struct{} // those that are charged with something, or did something since
	armed    bool                  // a look is due
	cycles   uint64
	live     int64 // after the last collection that was settled
	cpu      time.Duration
	// charged to accounts that were closed since, and in the interval before
	freed, freedBefore float64
	// the weights of accounts that were closed since, and their squares
	gone, goneSquares float64
	resting           time.Time // no collection is forced before
	forcing           bool

	ended   *Account  // that was ended last, until what it kept is gone
	endedAt time.Time // when
	settled int       // collections since it was closed

	relieving bool // Relieve is under way
	// relieved is when it had nothing more; zero since the process isn't short of memory.
	relieved time.Time
}

// Account is what one VM is charged with, or one of those that use it in turns. Its methods work on
// nil, and from any goroutine.
type Account struct {
	of      *Memory
	budget  Budget
	charged float64 // bytes
	before  float64 // of them, when the entry under way began
	weight  float64 // since the last collection: bytes that it can have filled
	handed  int64   // since the last collection: bytes that Go made for it
	over    *MemoryError
	opened  time.Time

	doubtful, closed bool
}

// entry is a VM that runs JavaScript.
type entry struct {
	account   *Account
	clock     cpuClock
	began     time.Time
	seen      time.Duration // of the clock, in the account's weight
	interrupt func(error)
}

// MemoryError is the cause of an Interrupted VM that kept too much.
type MemoryError struct {
	// Bytes is what the VM was charged with.
	Bytes int64
	// Limit is what it might have: its budget, or Process if Shared is set. Setting is whose value
	// that is; may be "".
	Limit   int64
	Setting string
	// Shared tells that it was ended because the process had too little, as the one that was
	// charged with the most.
	Shared bool
}

// ShortOfMemory is in the text of a MemoryError that is Shared.
const ShortOfMemory = "the process is short of memory"

func (e *MemoryError) Error() string {
	if e.Shared {
		return fmt.Sprintf("%s: its limit is %d bytes, of which this takes about %d MB", ShortOfMemory, e.Limit, e.Bytes>>20)
	}
	setting := ""
	if e.Setting != "" {
		setting = " (" + e.Setting + ")"
	}
	return fmt.Sprintf("about %d MB of memory are kept; the limit is %d bytes%s", e.Bytes>>20, e.Limit, setting)
}

// NewMemory makes a Memory for VMs of this process. There should be one: others would charge the
// same growth again.
func NewMemory(o MemoryOptions) *Memory {
	m := &Memory{opts: o, entries: map[*entry]struct{}{}, accounts: map[*Account]struct{}{}}
	h := readHeap()
	m.cycles, m.live, m.cpu = h.cycles, h.live, h.cpu
	return m
}

// Release tells that what the VM ran is over: what it is charged with is nobody's from now on. If
// it runs again, that is counted anew, and so is its CPU time.
func (v *VM) Release() {
	v.account.Close()
	v.account, v.cpuTime = nil, 0
}

// ChargeTo says whose the VM's next entries are, which others use, too; nil is its own again. Between
// entries.
func (v *VM) ChargeTo(a *Account) { v.account = a }

// Handed notes that Go made so many bytes for the VM: it takes no time by which that could be told.
func (v *VM) Handed(bytes int64) {
	if v.account != nil {
		v.account.of.handed(v.account, bytes)
	}
}

// Claim implements linear.Budget: what is too much by itself is not waited for.
func (v *VM) Claim(bytes int64) bool {
	if v.account != nil {
		if limit := v.account.budget.Bytes; limit > 0 && bytes > limit {
			v.Interrupt(v.account.beyond(bytes))
		} else {
			v.Handed(bytes)
		}
	}
	return !v.async.over.Load()
}

// Account opens one. It works on nil, as do enter and leave.
func (m *Memory) Account(b Budget) *Account {
	if m == nil {
		return nil
	}
	if b.Bytes <= 0 {
		b.Bytes = m.opts.PerVM
	}
	return &Account{of: m, budget: b, opened: time.Now()}
}

// Close tells that what was charged is nobody's from now on.
func (a *Account) Close() {
	if a == nil {
		return
	}
	m := a.of
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.accounts[a]; ok {
		delete(m.accounts, a)
		m.freed += a.charged
		m.gone += a.weight
		m.goneSquares += a.weight * a.weight
	}
	// Who was ended leaves a heap behind that the collector would let grow further: it takes what
	// was in use when it last looked for the measure.
	if a.over != nil && !a.closed && !m.forcing {
		m.forcing = true
		go m.collect()
	}
	a.charged, a.weight, a.closed = 0, 0, true
}

// Charged is how many bytes it is charged with; little counts as nothing.
func (a *Account) Charged() int64 {
	if a == nil {
		return 0
	}
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	return int64(a.charged)
}

// Lasts tells that what is charged from now on is that of something lasting: see Budget.
func (a *Account) Lasts() {
	if a == nil {
		return
	}
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	a.budget.Lasting = true
}

// Doubtful tells that what lasts is charged with more than its budget, by many entries: what it
// really keeps shows when it is made again, with another account.
func (a *Account) Doubtful() bool {
	if a == nil {
		return false
	}
	a.of.mu.Lock()
	defer a.of.mu.Unlock()
	return a.doubtful
}

func (a *Account) memory() *Memory {
	if a == nil {
		return nil
	}
	return a.of
}

// beyond is what it is ended with.
func (a *Account) beyond(bytes int64) *MemoryError {
	return &MemoryError{Bytes: bytes, Limit: a.budget.Bytes, Setting: a.budget.Setting}
}

// handed notes bytes that Go made for a VM.
func (m *Memory) handed(a *Account, bytes int64) {
	if bytes < 4<<10 {
		return
	}
	m.mu.Lock()
	a.weight += float64(bytes)
	a.handed += bytes
	// Memory that nobody wrote to yet is had faster than any tick comes. What is large and soon
	// dropped would have one collection follow the other, so there is a pause where that can wait.
	collect := !m.forcing && a.exceeds(float64(a.handed)/handedShare) &&
		(time.Now().After(m.resting) || a.exceeds((a.charged+float64(a.handed))/timesBeyond))
	m.forcing = m.forcing || collect
	m.mu.Unlock()
	if collect {
		m.collect()
	}
}

// enter notes that a VM begins to run. The error is that of an account that is beyond its limit.
func (m *Memory) enter(a *Account, clock cpuClock, interrupt func(error)) (*entry, error) {
	if m == nil {
		return nil, nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if a.over != nil {
		return nil, a.over
	}
	a.before = a.charged
	e := &entry{account: a, clock: clock, began: time.Now(), interrupt: interrupt}
	m.entries[e], m.accounts[a] = struct{}{}, struct{}{}
	m.arm()
	return e, nil
}

func (m *Memory) leave(e *entry) {
	if m == nil || e == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.weigh(e)
	delete(m.entries, e)
}

// arm has the heap looked at soon. With mu held.
func (m *Memory) arm() {
	if !m.armed {
		m.armed = true
		time.AfterFunc(memoryTick, m.look)
	}
}

// weigh adds to an account what its VM did since. With mu held.
func (m *Memory) weigh(e *entry) {
	used := min(e.clock.used(), time.Since(e.began))
	e.account.weight += bytesPerSecond * (used - e.seen).Seconds()
	e.seen = used
}

// look settles what the last collection found, and forces one where waiting for it could be too
// late.
func (m *Memory) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.armed = false
	for e := range m.entries {
		m.weigh(e)
	}
	h := readHeap()
	m.settleNew(h)
	if !m.forcing && m.suspicious(h) && (time.Now().After(m.resting) || m.farBeyond(h)) {
		m.forcing = true
		go m.collect()
	}
	if len(m.entries) > 0 {
		m.arm()
	}
}

// suspicious reports that some VM may be beyond its limit by now. With mu held.
func (m *Memory) suspicious(h heapState) bool {
	grown := float64(h.objects - m.live)
	if m.opts.Process > 0 && h.objects > m.opts.Process {
		return true
	}
	for e := range m.entries {
		if e.account.exceeds(e.account.charged + min(e.account.weight, grown)) {
			return true
		}
	}
	return false
}

// exceeds tells whether so much is beyond what the account may have.
func (a *Account) exceeds(bytes float64) bool {
	return a.budget.Bytes > 0 && bytes > float64(a.budget.Bytes)
}

// farBeyond reports that some VM may be so far beyond its limit that no collection is too dear.
// With mu held.
func (m *Memory) farBeyond(h heapState) bool {
	grown := float64(h.objects - m.live)
	for e := range m.entries {
		if e.account.exceeds((e.account.charged + min(e.account.weight, grown)) / timesBeyond) {
			return true
		}
	}
	return false
}

// collect forces a collection and settles it.
func (m *Memory) collect() {
	began := time.Now()
	runtime.GC()
	took := time.Since(began)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forcing = false
	m.resting = time.Now().Add(time.Duration(float64(took) * (1/collectionShare - 1)))
	for e := range m.entries {
		m.weigh(e)
	}
	m.settleNew(readHeap())
}

// settleNew settles what wasn't settled before: a look may have come between a forced collection's
// end and that of its sweep. Else what VMs did since would be nobody's, and one collection count for
// two of those that others are given until what an ended one kept is gone. With mu held.
func (m *Memory) settleNew(h heapState) {
	if h.cycles != m.cycles {
		m.settle(h)
	}
}

// settle charges the growth between two collections. With mu held.
func (m *Memory) settle(h heapState) {
	grown := float64(h.live - m.live)
	// What shrinks is first what closed accounts were charged with. It may take one more collection
	// to be found.
	if grown < 0 {
		gone := min(-grown, m.freed+m.freedBefore)
		grown += gone
		m.freedBefore -= gone
		if m.freedBefore < 0 {
			m.freed, m.freedBefore = m.freed+m.freedBefore, 0
		}
	}
	m.freed, m.freedBefore = 0, m.freed
	// The rest of the process grows too: caches, the compiler, whatever else took time.
	total := bytesPerSecond * (h.cpu - m.cpu).Seconds()
	weights, squares, charged := m.gone, m.goneSquares, 0.0
	m.gone, m.goneSquares = 0, 0
	for a := range m.accounts {
		weights += a.weight
		squares += a.weight * a.weight
		charged += a.charged
	}
	// Of what the VMs had, whoever took most of the time is the likeliest: by the squares it gets
	// more than its part.
	theirs := grown * weights / max(total, weights, 1)
	for a := range m.accounts {
		if grown > 0 {
			a.charged += min(a.weight, theirs*a.weight*a.weight/max(squares, 1))
		} else if charged > 0 {
			a.charged = max(0, a.charged+grown*a.charged/charged)
		}
		a.weight, a.handed = 0, 0
	}
	m.cycles, m.live, m.cpu = h.cycles, h.live, h.cpu
	m.judge()
	m.neglect()
}

// neglect forgets what hardly anybody is charged with. With mu held.
func (m *Memory) neglect() {
	running := make(map[*Account]bool, len(m.entries))
	for e := range m.entries {
		running[e.account] = true
	}
	for a := range m.accounts {
		if a.charged < negligible && a.over == nil && !running[a] {
			delete(m.accounts, a)
			a.charged = 0
		}
	}
}

// judge ends who is charged with most, if that is beyond a limit: one at a time, because whoever
// ran beside a VM that hoards is charged with part of it, until it has gone. With mu held.
func (m *Memory) judge() {
	waits := m.waits()
	var most, beyond *Account
	for a := range m.accounts {
		if a.over != nil || waits && a.opened.Before(m.endedAt) {
			continue
		}
		if most == nil || a.charged > most.charged {
			most = a
		}
		switch {
		case !a.exceeds(a.charged):
		case a.budget.Lasting && a.charged-a.before < oneGo*float64(a.budget.Bytes):
			a.doubtful = true
		case beyond == nil || a.charged > beyond.charged:
			beyond = a
		}
	}
	short := m.opts.Process > 0 && m.live > m.opts.Process
	if !short {
		m.relieved = time.Time{}
	}
	switch {
	case beyond != nil:
		m.end(beyond, beyond.beyond(int64(beyond.charged)))
	case !short || m.relieves():
	case most != nil && most.charged > leastBlamed:
		m.end(most, &MemoryError{Bytes: int64(most.charged), Limit: m.opts.Process, Shared: true})
	}
}

// relieves has what can be made again be let go of, and tells whether to wait for what that brings.
// With mu held.
func (m *Memory) relieves() bool {
	if m.opts.Relieve == nil || time.Since(m.relieved) < reliefPause {
		return false
	}
	if !m.relieving {
		m.relieving = true
		go m.relieve(m.live - int64(relief*float64(m.opts.Process)))
	}
	return float64(m.live) < beyondRelief*float64(m.opts.Process)
}

// relieve calls Relieve and looks what it brought.
func (m *Memory) relieve(bytes int64) {
	freed := m.opts.Relieve(bytes)
	m.mu.Lock()
	m.relieving = false
	if freed <= 0 {
		m.relieved = time.Now()
	}
	m.mu.Unlock()
	m.collect()
}

// waits tells whether what the account that was ended last kept may still be there. With mu held.
func (m *Memory) waits() bool {
	if m.ended == nil {
		return false
	}
	if !m.ended.closed {
		return time.Since(m.endedAt) < patience
	}
	if m.settled++; m.settled <= settling {
		return true
	}
	m.ended = nil
	return false
}

// end interrupts a VM now, or when it next runs. With mu held.
func (m *Memory) end(a *Account, why *MemoryError) {
	a.over = why
	m.ended, m.endedAt, m.settled = a, time.Now(), 0
	for e := range m.entries {
		if e.account == a {
			e.interrupt(why)
		}
	}
}

// heapState is what the Go runtime says of the heap.
type heapState struct {
	cycles  uint64        // collections so far
	live    int64         // bytes that the last one found in use
	objects int64         // bytes in use or not collected so far
	cpu     time.Duration // that the process used for anything but collecting
}

func readHeap() heapState {
	s := []metrics.Sample{
		{Name: "/gc/cycles/total:gc-cycles"}, {Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/cpu/classes/gc/total:cpu-seconds"},
	}
	metrics.Read(s)
	h := heapState{cycles: s[0].Value.Uint64(), live: signed(s[1].Value.Uint64()), objects: signed(s[2].Value.Uint64())}
	h.cpu = processCPU() - time.Duration(s[3].Value.Float64()*float64(time.Second))
	return h
}

func signed(n uint64) int64 { return int64(min(n, math.MaxInt64)) } //nolint:gosec // see min
