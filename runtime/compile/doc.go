// Package compile turns the TypeScript text of one row into a program that goja can run.
//
// It promises: the same text under the same name gives the same hash and the same program; an error
// names the row's file, line and column; no text, however hostile, ends the calling process or
// holds it longer than the compiler's deadline.
//
// The last promise needs a second process. esbuild and goja's parser recurse with the text's
// nesting, a Go stack overflow cannot be recovered from, and a goroutine that computes cannot be
// stopped: so a child process that may die transforms and test-parses each text first, with a small
// stack, memory that is bounded, an empty environment and a deadline (see Child).
//
// What the text alone tells of its module is found out in the child, too. The program is made
// of a second parse, of what became of that: at once, or, of a module that only declares, when it is
// first used.
//
// A text may import npm packages: from the folder that the operator names, by their names, and from
// nowhere else. The packages that a text imports become one program, a bundle, made by the child
// process once in the life of the calling one and shared by all texts that import the same; texts
// themselves are never bundled, so that an edit costs what it costs without packages. The bundle's
// hash is part of the program's. A bundle can be kept and loaded again, for texts that must run on
// the packages that they were compiled with. Activities take Node's variant of each package that
// can do with what is here of Node, workflows the one for browsers, as Temporal's bundler does.
// esbuild resolves names; each file that it is about to read must lie in the folder by its real
// path, whatever links or a package.json say.
//
// But for that folder it is pure: no database, no Temporal, no file system. It must never import
// another room of this project but those of runtime/language that read texts and trees: pattern,
// operators, keywords, nodes, called and linear.
package compile
