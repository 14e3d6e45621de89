package language

// Former is what executions have as it was before it became as in V8, in Node or in the web's
// standard: those that began then. Zero has all as it is now.
type Former struct {
	Dates    bool // how texts of dates are read
	UTF8     bool // how TextDecoder reads what isn't UTF-8
	Builtins bool // how functions sort arrays, and how JSON is indented
	Texts    bool // TextDecoder, but for that, and Array.prototype.toLocaleString
	Zeros    bool // that 0 * -5 is 0, as goja has it
	// Elsewhere: the order in which JSON has listed names, how an error's stack is written, and that the
	// letters of Turkish, Azeri and Lithuanian are refused.
	Elsewhere bool
}
