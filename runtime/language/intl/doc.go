// Package intl formats numbers, dates, lists and spans of time: what JavaScript's Intl and the
// toLocaleString methods need of it.
//
// It promises: the text is the one that Node writes (testdata holds what it wrote), or there is an
// [*Error] that says what there is instead. Languages, calendars and digits that it hasn't are
// refused, never approximated; a locale that CLDR doesn't know either is en-US, as in Node.
//
// The texts are CLDR's (see the room cldr), and how they are used is ICU's: generator.go finds the
// pattern for a date's fields as DateTimePatternGenerator does, range.go as DateIntervalFormat,
// number.go puts affixes as its number formatter. Where V8 or ICU has a quirk, the quirk is kept:
// the judge is Node 20, but for zones like "+05:30", which Node has from 22 on.
//
// Time zones are those that the program carries, in one release for all executions: a later build
// may carry later rules. An execution that is replayed then computes with these, so that a time in
// a zone whose law changed comes out anew; histories don't depend on it unless the code decides by
// it what it does next. Times before 1970 can differ from Node's in zones that were merged since.
//
// A polyfill in JavaScript would cost each runtime 15 ms and several MB (FormatJS, numbers and
// dates of English alone); this costs the process a locale's texts once, some 150 KB. It is pure,
// and imports only cldr.
package intl
