package compile

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dop251/goja"
)

// Kind says what a text is for, and so which modules it may import.
type Kind string

const (
	// Workflow code runs deterministically inside a workflow task.
	Workflow Kind = "workflow"
	// Activity code runs with the platform's API.
	Activity Kind = "activity"
)

// SettingsVersion is part of every content hash, and kept with each stored text. Raise it when the
// same text must become a different program: esbuild's settings, the wrapper, the way exports are
// found. What runs programs is no part of it, nor is how regular expressions are handed to that:
// executions that are pinned to a text run it on the service that there is. A text that was stored
// is compiled with the settings that it was stored with: what differs asks Source.since.
//
//   - 1: the first; texts that were stored without settings have these.
//   - 2: parameter properties come before the fields, ambient const enums are inlined, a namespace import of a CommonJS module
//     is what it exports.
const SettingsVersion = "2"

// FirstSettings are those of texts that were stored before settings were written down.
const FirstSettings = "1"

// KnowsSettings tells whether texts that were stored with these settings can be compiled.
func KnowsSettings(version string) bool {
	return version == FirstSettings || version == SettingsVersion
}

// Source is one text to compile.
type Source struct {
	// Name is the file name that stacks and errors show, for example "order-intake.ts". Only its
	// base name is used: goja resolves a source map's names against the program's own directory,
	// and would double a directory part.
	Name string
	// Kind says what the code is for.
	Kind Kind
	// Text is TypeScript or JavaScript, an ES module or CommonJS.
	Text string
	// Packages are the npm packages to run the text with, for a text that was compiled before.
	// Default: what it imports, from Config.Modules.
	Packages *Packages
	// Settings are the version of the compiler's settings. Default: SettingsVersion.
	Settings string
	// ProjectID is for the log alone.
	ProjectID string
}

// since tells whether the source is compiled with these settings or newer ones. There are few
// versions, so it compares texts.
func (s Source) since(version string) bool { return cmp.Or(s.Settings, SettingsVersion) >= version }

// Hash identifies what the source compiles to, the npm packages that it imports aside: 64
// hexadecimal digits.
func (s Source) Hash() string {
	h := sha256.New()
	fmt.Fprintf(h, "%s\x00%s\x00%s\x00%d\x00", cmp.Or(s.Settings, SettingsVersion), s.Kind, path.Base(s.Name), len(s.Text))
	h.Write([]byte(s.Text))
	return hex.EncodeToString(h.Sum(nil))
}

// Program is a compiled source. It is immutable and may be used by any number of goja runtimes at
// once.
type Program struct {
	// Hash is the content hash of the source and of its packages. Without packages it is the
	// source's own.
	Hash string
	// Name is the file name that stacks show, Kind what the code is for.
	Name string
	Kind Kind
	// JS gives what evaluates to a function (require, module, exports) that evaluates the module as
	// CommonJS. It is made when it is first asked for: a thousand projects start, and most of their
	// code waits for its first execution.
	JS func() (*goja.Program, error)
	// Exports are the module's exports in order of their names, as far as the text alone tells.
	Exports []Export
	// Packages are the npm packages that the module imports; nil if there are none. Evaluating the
	// module needs them: its require must lead there for their names.
	Packages *Packages
	// Siblings are the names of functions that the text passes to startChild or executeChild
	// without declaring or importing them: workflow functions of the project's other rows. The
	// program declares a function of each name for itself.
	Siblings []string
	// WantsOwnBuiltins says that the text may change the language's builtins, or takes modules that
	// do so: it is to run where they aren't frozen.
	WantsOwnBuiltins bool
	// Quiet says that evaluating the module is certain to succeed at once: it only declares. Workflow
	// code may call what it imports from Temporal's modules.
	Quiet bool

	// Refused are names that the text takes from modules that don't have them: code that is new is
	// not to go live with them. Warnings are what is likely to be wrong. Uses are the names that it
	// takes from packages.
	Refused, Warnings []Note
	Uses              []Use

	undefined map[Note]string // see examined
	imported  []imported      // of packages
	made      *atomic.Bool    // JS was asked for
}

// RefusedError gives what is refused as an error; nil for nothing. more are other things that are.
func (p *Program) RefusedError(more ...Note) error {
	list := append(slices.Clip(p.Refused), more...)
	if len(list) == 0 {
		return nil
	}
	return firstOf(inOrder(list), p.Warnings)
}

// Functions gives the names of the exports that are certainly functions. complete is false if there
// are others of which only evaluating the module can tell.
func (p *Program) Functions() (names []string, complete bool) {
	complete = true
	for _, e := range p.Exports {
		switch e.Is {
		case Function:
			names = append(names, e.Name)
		case Unknown:
			complete = false
		}
	}
	return names, complete
}

// Config of a Compiler. The zero value compiles inside the calling process.
type Config struct {
	// Command starts the child process: a program and its arguments that ends up in Child. Empty:
	// texts are transformed in the calling process, which a hostile text can then end; for tests
	// and tools that compile only trusted texts.
	Command []string
	// Children is the most child processes that run at once. Default 2.
	Children int
	// MaxSourceBytes bounds a text. Default 1 MiB.
	MaxSourceBytes int
	// Timeout bounds the processor's time for one compilation. Default 5 s. What a busy machine
	// doesn't get done within five times as long is no fault of the text.
	Timeout time.Duration
	// Modules is the folder of npm packages that texts may import: one with a node_modules, or of
	// packages. Default: none, and texts may import none.
	Modules string
	// CacheSize is how many programs are kept by hash beside those in use elsewhere, CacheFor how
	// long: after a thousand edits they are nobody's any more, and take a tenth of a megabyte each.
	// Default 256, and half a minute.
	CacheSize int
	CacheFor  time.Duration
	// Logger takes what an operator would act on: child processes that end, packages that can't be
	// read. Default: none.
	Logger *slog.Logger
}

func (c Config) withDefaults() Config {
	if c.Children <= 0 {
		c.Children = 2
	}
	if c.MaxSourceBytes <= 0 {
		c.MaxSourceBytes = 1 << 20
	}
	if c.Timeout <= 0 {
		c.Timeout = 5 * time.Second
	}
	if c.CacheSize <= 0 {
		c.CacheSize = 256
	}
	if c.CacheFor <= 0 {
		c.CacheFor = 30 * time.Second
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// transformer makes CommonJS of TypeScript and learns what it tells, here or in a child process.
type transformer interface {
	transform(ctx context.Context, s Source) (transformed, error)
	// bundle makes one text of npm packages; what is wrong with them comes back as a *bundleError.
	bundle(ctx context.Context, q bundleRequest) (bundled, error)
	// probe has goja parse and compile a script; what is wrong with it doesn't matter.
	probe(ctx context.Context, text string) error
	close()
}

// Compiler compiles and remembers programs. It is safe for concurrent use.
type Compiler struct {
	cfg     Config
	tr      transformer
	bundles bundles
	probed  probed

	mu     sync.Mutex          // guards the rest
	cache  map[string]*Program // by the source's hash, and that of packages given with it
	order  []remembered        // of cache, oldest first
	forget *time.Timer
	closed bool
}

// remembered is a program's key in the cache, and since when it is there.
type remembered struct {
	key string
	at  time.Time
}

// New makes a compiler. Close ends its child processes.
func New(cfg Config) *Compiler {
	cfg = cfg.withDefaults()
	c := &Compiler{cfg: cfg, cache: make(map[string]*Program)}
	c.forget = time.AfterFunc(cfg.CacheFor, c.forgetOld)
	c.bundles.making = make(chan struct{}, 1)
	if len(cfg.Command) > 0 {
		c.tr = newPool(cfg)
	} else {
		c.tr = inProcess{}
	}
	return c
}

// Close ends the child processes. Compilations under way fail.
func (c *Compiler) Close() {
	c.tr.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	c.forget.Stop()
}

// Compile compiles one source. What is wrong with the text itself, and with the packages it
// imports, comes back as an *Error.
func (c *Compiler) Compile(ctx context.Context, s Source) (*Program, error) {
	s.Name = path.Base(s.Name)
	key := s.Hash()
	if s.Packages != nil {
		key += " " + s.Packages.Hash
	}
	if p := c.cached(key); p != nil {
		return p, nil
	}
	if err := checkLimits(s, c.cfg.MaxSourceBytes); err != nil {
		return nil, err
	}
	p, err := c.compileText(ctx, s)
	if err != nil {
		return nil, err
	}
	p.Hash = s.Hash()
	if len(p.imported) > 0 {
		if err := c.addPackages(ctx, s, p); err != nil {
			return nil, err
		}
	}
	c.remember(key, p)
	return p, nil
}

// busy is how much more time on the clock a compilation has than of the processor.
const busy = 5

// compileText does all but the packages.
func (c *Compiler) compileText(ctx context.Context, s Source) (*Program, error) {
	ctx, cancel := context.WithTimeout(ctx, busy*c.cfg.Timeout)
	defer cancel()
	t, err := c.tr.transform(ctx, s)
	if err != nil {
		return nil, err
	}
	p := programOf(s, t)
	if t.Linked && p.Quiet && len(t.Code) <= maxLater {
		return p, nil // a child has seen that it can be linked, and nobody evaluates it now
	}
	if _, err := p.JS(); err != nil {
		return nil, err
	}
	return p, nil
}

// maxLater bounds a text of which the program is made only when it is used: that takes some ten
// milliseconds, of an execution's time.
const maxLater = 32 << 10

// programOf is the program of a text, not yet linked.
func programOf(s Source, t transformed) *Program {
	l, made := t.Learned, new(atomic.Bool)
	return &Program{
		Name: s.Name, Kind: s.Kind, Exports: l.Exports, Siblings: l.Siblings, imported: l.Imported,
		WantsOwnBuiltins: l.WantsOwnBuiltins, Quiet: l.Quiet,
		Refused: l.Refused, Warnings: l.Warnings, Uses: l.Uses, undefined: l.Undefined,
		JS: sync.OnceValues(func() (*goja.Program, error) {
			made.Store(true)
			return link(s, t, nil)
		}),
		made: made,
	}
}

// addPackages finds the packages that a program imports.
func (c *Compiler) addPackages(ctx context.Context, s Source, p *Program) error {
	if s.Packages == nil && c.cfg.Modules == "" {
		var wrong []Note
		for _, im := range p.imported {
			wrong = append(wrong, im.error(s.Name, fmt.Sprintf("can't import %q: the service has no npm packages; its operator names a folder of them with MODULES_DIR", im.Module)).note())
		}
		return p.RefusedError(wrong...)
	}
	names := make([]string, 0, len(p.imported))
	for _, im := range p.imported {
		names = append(names, im.Module)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	packages := s.Packages
	if packages == nil {
		var err error
		if packages, err = c.packages(ctx, s.Kind, names); err != nil {
			var bad *bundleError
			if !errors.As(err, &bad) {
				return err
			}
			var wrong []Note
			for _, b := range append([]bundleError{*bad}, bad.More...) {
				at := p.imported[max(0, slices.IndexFunc(p.imported, func(im imported) bool { return im.Module == b.Name }))]
				wrong = append(wrong, at.error(s.Name, b.Message).note())
			}
			return p.RefusedError(wrong...)
		}
	}
	for _, im := range p.imported {
		if !slices.Contains(packages.Names, im.Module) {
			return im.error(s.Name, fmt.Sprintf("can't import %q: it is not among the npm packages that were kept with this text", im.Module))
		}
	}
	p.Packages = packages
	p.definedBy(packages.Code)
	sum := sha256.Sum256([]byte(p.Hash + packages.Hash))
	p.Hash = hex.EncodeToString(sum[:])
	return nil
}

func (c *Compiler) cached(key string) *Program {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cache[key]
}

func (c *Compiler) remember(key string, p *Program) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.cache[key]; ok {
		return
	}
	c.cache[key] = p
	c.order = append(c.order, remembered{key, time.Now()})
	if len(c.order) == 1 && !c.closed {
		c.forget.Reset(c.cfg.CacheFor)
	}
	if len(c.order) > c.cfg.CacheSize {
		c.forgetOldest()
	}
}

// forgetOld forgets programs that were remembered long enough.
func (c *Compiler) forgetOld() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.order) > 0 && time.Since(c.order[0].at) >= c.cfg.CacheFor {
		c.forgetOldest()
	}
	if len(c.order) > 0 && !c.closed {
		c.forget.Reset(c.cfg.CacheFor - time.Since(c.order[0].at))
	}
}

// forgetOldest is called with mu held.
func (c *Compiler) forgetOldest() {
	delete(c.cache, c.order[0].key)
	c.order[0] = remembered{}
	c.order = c.order[1:]
}

// Error is what is wrong with a text, for its author.
type Error struct {
	// File is the source's name.
	File string
	// Line and Column count from 1; both are 0 where the error has no place in the text.
	Line, Column int
	// Message is for the author, without the place.
	Message string
	// More is what else is wrong with the text, and Warnings what is likely to be, as far as either
	// could be told.
	More, Warnings []Note
}

// firstOf makes an error of what is wrong with a text.
func firstOf(wrong, warnings []Note) *Error {
	first := wrong[0]
	return &Error{File: first.File, Line: first.Line, Column: first.Column, Message: first.Message, More: wrong[1:], Warnings: warnings}
}

func (e *Error) note() Note {
	return Note{Message: e.Message, File: e.File, Line: e.Line, Column: e.Column}
}

// Note is something to say of a text. Its place is as in Error.
type Note struct {
	Message      string // without the place
	File         string // the source's name
	Line, Column int    // from 1; 0 if unknown
}

// Error gives file:line:column: message.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.Message)
}
