package cell

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"workflow-worker/runtime"
)

// A page is memory that parent and cell share. The cell notes there whose JavaScript it is in; what it
// can't say any more, the page says after its death.
type page struct {
	bytes []byte

	mu   sync.Mutex // guards free
	free []int      // of the cell's
}

const (
	// slots is how many entries are noted at once; more JavaScript than processors doesn't run.
	slots    = 128
	slotSize = 512
	pageSize = slots * slotSize
	// A slot begins with whether it is in use, then come texts with their lengths.
	slotHead, slotTexts = 4, 5
)

// newPage makes a page, and the file by which the cell finds it.
func newPage() (*page, *os.File, error) {
	f, err := pageFile()
	if err != nil {
		return nil, nil, fmt.Errorf("make the page that a cell shares: %w", err)
	}
	p, err := openPage(f)
	if err != nil {
		_ = f.Close() // nothing was written
		return nil, nil, err
	}
	return p, f, nil
}

// openPage maps a page.
func openPage(f *os.File) (*page, error) {
	b, err := unix.Mmap(int(f.Fd()), 0, pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("map the page that parent and cell share: %w", err)
	}
	p := &page{bytes: b}
	for i := range slots {
		p.free = append(p.free, i)
	}
	return p, nil
}

func (p *page) close() { _ = unix.Munmap(p.bytes) } // it is mapped

func (p *page) slot(i int) []byte { return p.bytes[i*slotSize : (i+1)*slotSize] }

func (p *page) used(i int) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&p.bytes[i*slotSize])) // aligned: a slot's size is a power of two
}

// enter notes an entry until left is called. Where there is no slot it isn't noted.
func (p *page) enter(e runtime.Entry) (left func()) {
	p.mu.Lock()
	if len(p.free) == 0 {
		p.mu.Unlock()
		return func() {}
	}
	i := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	p.mu.Unlock()
	rest := p.slot(i)[slotHead:]
	for _, text := range [slotTexts]string{e.ProjectID, e.Hash, e.File, e.RunID, e.WorkflowID} {
		n := min(len(text), max(0, len(rest)-2))
		binary.LittleEndian.PutUint16(rest, uint16(n))
		copy(rest[2:], text[:n])
		rest = rest[2+n:]
		if len(rest) < 2 {
			rest = make([]byte, 2) // what comes last is long, and left out
		}
	}
	used := p.used(i)
	used.Store(1)
	return func() {
		used.Store(0)
		p.mu.Lock()
		p.free = append(p.free, i)
		p.mu.Unlock()
	}
}

// entries are those that are noted.
func (p *page) entries() (list []runtime.Entry) {
	for i := range slots {
		if p.used(i).Load() == 0 {
			continue
		}
		var texts [slotTexts]string
		rest := p.slot(i)[slotHead:]
		for t := range texts {
			if len(rest) < 2 {
				break
			}
			n := min(int(binary.LittleEndian.Uint16(rest)), len(rest)-2)
			texts[t] = string(rest[2 : 2+n])
			rest = rest[2+n:]
		}
		list = append(list, runtime.Entry{ProjectID: texts[0], Hash: texts[1], File: texts[2], RunID: texts[3], WorkflowID: texts[4]})
	}
	return list
}
