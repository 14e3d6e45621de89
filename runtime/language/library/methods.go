package library

// method is a function of the standard library that goja lacks, or has wrong, and that is written
// in JavaScript.
type method struct {
	global    string // what it hangs on
	prototype bool   // on its prototype
	name      string
	length    int
	part      string // where it is: js/<part>.js
	as        string // its name there; "" is name
	replace   bool   // also where goja has one
}

var methods = []method{
	{global: "Promise", name: "withResolvers", part: "promise"},
	{global: "Promise", name: "try", length: 1, part: "promise"},
	{global: "Promise", name: "any", length: 1, part: "promise", replace: true},
	{global: "Object", name: "groupBy", length: 2, part: "collections", as: "groupObject"},
	{global: "Object", prototype: true, name: "__defineGetter__", length: 2, part: "legacy"},
	{global: "Object", prototype: true, name: "__defineSetter__", length: 2, part: "legacy"},
	{global: "Object", prototype: true, name: "__lookupGetter__", length: 1, part: "legacy"},
	{global: "Object", prototype: true, name: "__lookupSetter__", length: 1, part: "legacy"},
	{global: "Map", name: "groupBy", length: 2, part: "collections", as: "groupMap"},
	{global: "Array", name: "fromAsync", length: 1, part: "collections"},
	{global: "Array", prototype: true, name: "flat", part: "array", replace: true},
	{global: "Array", prototype: true, name: "flatMap", length: 1, part: "array", replace: true},
	{global: "Array", prototype: true, name: "toLocaleString", part: "array", replace: true},
	{global: "RegExp", name: "escape", length: 1, part: "escape"},
	{global: "Error", name: "captureStackTrace", length: 2, part: "error"},
	{global: "Math", name: "sumPrecise", length: 1, part: "math"},
	{global: "Math", name: "f16round", length: 1, part: "float16"},
	{global: "DataView", prototype: true, name: "getFloat16", length: 1, part: "float16"},
	{global: "DataView", prototype: true, name: "setFloat16", length: 2, part: "float16"},
	{global: "Number", prototype: true, name: "toLocaleString", part: "intl", as: "numberToLocaleString", replace: true},
	{global: "BigInt", prototype: true, name: "toLocaleString", part: "intl", as: "numberToLocaleString", replace: true},
	{global: "Date", prototype: true, name: "toLocaleString", part: "intl", as: "dateToLocaleString", replace: true},
	{global: "Date", prototype: true, name: "toLocaleDateString", part: "intl", replace: true},
	{global: "Date", prototype: true, name: "toLocaleTimeString", part: "intl", replace: true},
	{global: "Date", prototype: true, name: "toGMTString", part: "date"},
	{global: "Date", prototype: true, name: "getYear", part: "date"},
	{global: "Date", prototype: true, name: "setYear", length: 1, part: "date"},
	{global: "Iterator", prototype: true, name: "map", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "filter", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "flatMap", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "take", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "drop", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "toArray", part: "iterator"},
	{global: "Iterator", prototype: true, name: "forEach", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "some", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "every", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "find", length: 1, part: "iterator"},
	{global: "Iterator", prototype: true, name: "reduce", length: 1, part: "iterator"},
}

// MadeBy names the parts that have globals.
var MadeBy = map[string]string{
	"AsyncLocalStorage":    "storage",
	"TextEncoder":          "encoding",
	"TextDecoder":          "encoding",
	"Intl":                 "intl",
	"Number":               "number",
	"Atomics":              "memory",
	"FinalizationRegistry": "memory",
	"SharedArrayBuffer":    "memory",
	"WeakRef":              "memory",
	"Iterator":             "iterator",
	"DisposableStack":      "disposal",
	"SuppressedError":      "disposal",
	"AsyncDisposableStack": "disposal",
}
