// Package intl formats numbers, dates, lists and spans of time in English, and in UTC: what JavaScript's Intl and the
// toLocaleString methods need of it.
//
// It promises: the text is the one that Node writes for en-US (data.txt is taken from Node, and testdata holds what it wrote),
// or there is an [*Error] that says what there is instead. Other languages and time zones are refused, never approximated.
//
// A polyfill in JavaScript would cost each runtime 15 ms and several MB (FormatJS, numbers and dates of English alone); this
// costs the process its data once. It is pure, and imports nothing of ours.
package intl
