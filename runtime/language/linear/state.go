package linear

import (
	"unsafe"

	"github.com/dop251/goja"
)

// State is what one VM has of all this.
type State struct {
	texts
	rooms
	builtins

	budget Budget

	numbers *[numbersAtOnce]int64 // room for numbers, see machine.integer
	used    int                   // of them

	// What there was when the VM was made: what code has changed since, is left to goja.
	arrays, objects *object // the prototypes
	iterate         *symbol // where the first has Symbol.iterator
	values          *object // what is there
	iterator        *object // what the iterators of arrays inherit from
	next            *object // its next
	class           *object // Array
	species         *symbol // where that has Symbol.species
	speciesGetter   *object // what is there

	// FormerZeros tells that the execution began when 0 * -5 was 0; nil: none did.
	FormerZeros func() bool

	// BoundProduct throws where BigInts of so many bits have too large a product; nil: none has.
	BoundProduct func(x, y int)

	expressions    Literals
	literals       map[*tested]*object
	expressionKind unsafe.Pointer // what a literal's object is
}

// Budget is what VMs may keep.
type Budget interface {
	// Claim tells that so many bytes are about to be taken; false if that ended the VM.
	Claim(bytes int64) bool
}

// Holder is a runtime's goja.AsyncContextTracker, which has its State: nil before there is one.
type Holder interface{ Linear() *State }

// holder is the kind of Holders that Holds was told of, and where they have their State.
var holder struct {
	kind unsafe.Pointer
	at   uintptr
}

// Holds says where Holders of a kind, pointers, have their State: it is looked for at each
// instruction that makes a number. To be called before anything runs.
func Holds(kind goja.AsyncContextTracker, at uintptr) {
	holder.kind, holder.at = (*words)(unsafe.Pointer(&kind)).kind, at
}

// NewState is that of a runtime whose builtins are as code will find them.
func NewState(r *goja.Runtime, b Budget) (*State, error) {
	if err := Check(); err != nil {
		return nil, err
	}
	s := &State{budget: b}
	return s, s.look(r)
}

// Forget drops what was kept for texts and lists to grow: at the end of what used them.
func (s *State) Forget() {
	if s != nil {
		clear(s.runs)
		clear(s.fronts)
		clear(s.literals)
		s.runs, s.fronts = s.runs[:0], s.fronts[:0]
	}
}

func (s *State) formerZeros() bool { return s.FormerZeros != nil && s.FormerZeros() }

// claim tells whether so many bytes may be taken.
func (s *State) claim(bytes int) bool { return s.budget.Claim(int64(bytes)) }

// stateOf is that of a machine; nil for a runtime that isn't ours.
func stateOf(m *machine) *State { return stateIn(unsafe.Pointer(m.runtime)) }

func stateIn(runtime unsafe.Pointer) *State {
	if w := (*words)(unsafe.Add(runtime, kinds.tracker)); w.kind == holder.kind {
		if w.data == nil {
			return nil
		}
		return *(**State)(unsafe.Add(w.data, holder.at))
	}
	tracker := *(*goja.AsyncContextTracker)(unsafe.Add(runtime, kinds.tracker))
	if h, ok := tracker.(Holder); ok {
		return h.Linear()
	}
	return nil
}
