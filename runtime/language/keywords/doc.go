// Package keywords has goja's parser read the words get, set and async as the names that they are
// where no accessor and no async function follows: it takes class A { get = 1 } and class A { #set
// = 1 } for accessors without a name.
//
// It promises: a text in which the words are disguised is as long, has its lines and columns, and
// once it is parsed and revealed its tree is that of the text itself, whatever the words stood in.
//
// It may import goja's syntax tree, and imports nothing of ours.
package keywords
