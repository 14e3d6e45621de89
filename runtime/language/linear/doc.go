// Package linear does in linear time what goja does in quadratic: texts that grow by + and in
// templates, lists that shrink and grow at their front, and what takes an array item by item: for…of,
// spreads and patterns.
//
// goja copies both texts at each +. Here, a text that was the last result is grown where it lies,
// into room behind it: Go's texts never change, and the shorter one doesn't reach there.
//
// goja's programs are lists of instructions, each an interface of one method. Tune puts
// instructions of ours in the places of some, which do what is simple themselves, and leave the rest
// to goja's. No syntax is changed, so that places and messages stay as they are. Numbers are computed
// with, and compared, without goja's asking what else they may be; where several instructions compute
// with whole numbers of variables, one of ours does it for all, and what lies between takes no memory.
// A loop that does nothing else is one instruction, for a thousand rounds at once: its numbers become
// values again where it ends, or does something else.
//
// Properties of plain objects, items of plain arrays and the builtins that most code calls most are
// read, written and called likewise. A function that does no more than read plain data, compute and make
// objects and texts (Pure) isn't called at all by what sorts, filters or maps plain arrays: its value is
// computed, and where it turns out to do more, nothing has happened. One that is written where it is
// given to such a method isn't even made, and what a sort compares is read once for each item.
//
// One thing differs: 0 * -5 is -0, as the language has it, for executions that began since.
//
// What is plain data (Data) can be looked at without running code of anybody's: builtins go through
// that in Go, from the start or not at all.
//
// It promises: the same results as goja's, in the same order of what code can see; no text of goja's
// is ever changed; what grows is claimed from the memory budget before. Where goja isn't built as
// expected, Check fails, and no VM is made.
//
// It may import goja, and imports nothing of ours.
package linear
