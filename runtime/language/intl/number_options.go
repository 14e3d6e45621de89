package intl

import (
	"slices"
	"strconv"
	"strings"
)

// digitOptions say how a number is rounded, and how many of its digits are shown.
type digitOptions struct {
	minInteger                 int
	minFraction, maxFraction   int
	minPrecision, maxPrecision int
	// rounding is by: "fraction", "precision", or the better or worse of both: "more", "less".
	rounding  string
	increment int
	mode      string
	zeros     string
}

var increments = []int{1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500, 1000, 2000, 2500, 5000}

// digits reads the options that NumberFormat and PluralRules have in common.
func (r *reader) digits(leastFraction, mostFraction int, compact bool) digitOptions {
	d := digitOptions{minInteger: max(r.number("minimumIntegerDigits", 1, 21), 1), increment: 1}
	byPrecision := r.has("minimumSignificantDigits") || r.has("maximumSignificantDigits")
	byFraction := r.has("minimumFractionDigits") || r.has("maximumFractionDigits")
	if n := r.number("roundingIncrement", 1, 5000); n != -1 {
		if !slices.Contains(increments, n) {
			r.fail(rangeError("roundingIncrement value is out of range."))
		}
		d.increment = n
	}
	d.mode = r.text("roundingMode", "halfExpand", "ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfExpand", "halfTrunc", "halfEven")
	priority := r.text("roundingPriority", "auto", "auto", "morePrecision", "lessPrecision")
	d.zeros = r.text("trailingZeroDisplay", "auto", "auto", "stripIfInteger")
	if d.increment != 1 {
		mostFraction = leastFraction
	}
	needPrecision, needFraction := true, true
	if priority == "auto" {
		needPrecision = byPrecision
		needFraction = !byPrecision && (byFraction || !compact)
	}
	if needPrecision {
		d.minPrecision, d.maxPrecision = 1, 21
		if byPrecision {
			d.minPrecision = max(r.number("minimumSignificantDigits", 1, 21), 1)
			if n := r.number("maximumSignificantDigits", d.minPrecision, 21); n != -1 {
				d.maxPrecision = n
			}
		}
	}
	if needFraction {
		d.minFraction, d.maxFraction = r.fraction(leastFraction, mostFraction)
	}
	switch {
	case !needPrecision && !needFraction:
		d.maxFraction, d.minPrecision, d.maxPrecision, d.rounding = 0, 1, 2, "more"
	case priority == "morePrecision":
		d.rounding = "more"
	case priority == "lessPrecision":
		d.rounding = "less"
	case byPrecision:
		d.rounding = "precision"
	default:
		d.rounding = "fraction"
	}
	if d.increment != 1 {
		if d.rounding != "fraction" {
			r.fail(typeError("roundingIncrement value is invalid."))
		} else if d.minFraction != d.maxFraction {
			r.fail(rangeError("roundingIncrement value is out of range."))
		}
	}
	return d
}

func (r *reader) fraction(least, most int) (int, int) {
	low := r.number("minimumFractionDigits", 0, 100)
	high := r.number("maximumFractionDigits", 0, 100)
	switch {
	case low == -1 && high == -1:
		return least, most
	case low == -1:
		low = min(least, high)
	case high == -1:
		high = max(most, low)
	case low > high:
		r.fail(rangeError("maximumFractionDigits value is out of range."))
	}
	return low, high
}

func (d digitOptions) entries() []Entry {
	out := []Entry{{"minimumIntegerDigits", d.minInteger}}
	if d.rounding != "fraction" {
		out = append(out, Entry{"minimumSignificantDigits", d.minPrecision}, Entry{"maximumSignificantDigits", d.maxPrecision})
	}
	if d.rounding != "precision" {
		out = append(out, Entry{"minimumFractionDigits", d.minFraction}, Entry{"maximumFractionDigits", d.maxFraction})
	}
	return out
}

func (d digitOptions) roundingEntries() []Entry {
	priority := map[string]string{"more": "morePrecision", "less": "lessPrecision"}[d.rounding]
	if priority == "" {
		priority = "auto"
	}
	return []Entry{{"roundingMode", d.mode}, {"roundingIncrement", d.increment}, {"trailingZeroDisplay", d.zeros}, {"roundingPriority", priority}}
}

// round gives the digits to show.
func (d digitOptions) round(x Decimal) rounded {
	byFraction := func() rounded { return x.round(d.maxFraction, d.increment, d.mode).strip(d.minFraction) }
	byPrecision := func() (rounded, int) {
		r := x.precise(d.maxPrecision, d.mode)
		magnitude := r.magnitude
		point := len(r.whole)
		if r.whole == "0" && !r.zero() {
			point = -(len(r.fraction) - len(strings.TrimLeft(r.fraction, "0")))
		}
		return r.strip(d.minPrecision - point), magnitude
	}
	var out rounded
	switch d.rounding {
	case "fraction":
		out = byFraction()
	case "precision":
		out, _ = byPrecision()
	default:
		f := byFraction()
		p, magnitude := byPrecision()
		if (magnitude <= -d.maxFraction) == (d.rounding == "more") {
			out = p
		} else {
			out = f
		}
	}
	if d.zeros == "stripIfInteger" && strings.Trim(out.fraction, "0") == "" {
		out.fraction = ""
	}
	if n := d.minInteger - len(out.whole); n > 0 {
		out.whole = strings.Repeat("0", n) + out.whole
	}
	return out
}

// NumberFormat is Intl.NumberFormat with its options resolved.
type NumberFormat struct {
	locale          string
	l               *locale
	pattern         pattern // of a plain number, a percentage or money
	style           string
	currency        string
	currencyDisplay string
	accounting      bool
	unitName        string
	unitDisplay     string
	grouping        string // "" is none
	notation        string
	long            bool // of a compact notation
	sign            string
	digits          digitOptions
}

// NewNumberFormat resolves options.
func NewNumberFormat(locale string, o Options) (*NumberFormat, error) {
	r := &reader{service: "NumberFormat", o: o}
	l, err := localeOf(locale)
	if err != nil {
		return nil, err
	}
	f := &NumberFormat{locale: keep(locale, "nu"), l: l}
	r.text("localeMatcher", "best fit", "lookup", "best fit")
	r.numbering(&f.locale)
	f.style = r.text("style", "decimal", "decimal", "percent", "currency", "unit")
	r.money(f)
	r.units(f)
	f.notation = r.text("notation", "standard", "standard", "scientific", "engineering", "compact")
	least, most := 0, 3
	switch {
	case f.style == "currency":
		least = currencyDigits(f.currency)
		most = least
	case f.style == "percent":
		most = 0
	}
	f.digits = r.digits(least, most, f.notation == "compact")
	f.long = r.text("compactDisplay", "short", "short", "long") == "long"
	f.grouping = r.group(f.notation == "compact")
	f.sign = r.text("signDisplay", "auto", "auto", "never", "always", "exceptZero", "negative")
	if r.err != nil {
		return nil, r.err
	}
	f.choosePattern()
	return f, nil
}

// numbering reads the digits to write: Western ones.
func (r *reader) numbering(tag *string) {
	r.only("numberingSystem", "latn")
	option := ""
	if r.has("numberingSystem") {
		option = toString(r.o["numberingSystem"])
	}
	if nu, ok := extensionOf(*tag, "nu"); ok && nu != "latn" && hasNumbering(nu) {
		r.fail(rangeError("the numberingSystem %q is not supported here: latn is", nu))
	}
	r.extended(tag, "nu", "latn", option, func(s string) bool { return s == "latn" })
}

// hasNumbering reports digits that Node has, and we haven't. Others are passed over, as in Node.
func hasNumbering(name string) bool {
	return slices.Contains(numberings, name)
}

var numberings = strings.Fields("adlm ahom arab arabext bali beng bhks brah cakm cham deva diak fullwide gong gonm gujr gukh guru hanidec hmng hmnp java " +
	"kali kawi khmr knda krai lana lanatham laoo lepc limb mathbold mathdbl mathmono mathsanb mathsans mlym modi mong mroo mtei mymr mymrepka mymrpao " +
	"mymrshan mymrtlng nagm newa nkoo olck onao orya osma outlined rohg saur segment shrd sind sinh sora sund sunu takr talu tamldec telu thai tibt tirh tnsa tols vaii wara wcho")

// currencyDigits is how many digits behind the point a currency has.
func currencyDigits(code string) int {
	text, ok := supplemental().Get("digits/" + code + "/_digits")
	if !ok {
		return 2
	}
	n, _ := strconv.Atoi(text) // a test reads all
	return n
}

// currencyCodes are those in use.
func currencyCodes() []string {
	var out []string
	for code := range supplemental().Under("currency/") {
		out = append(out, code)
	}
	slices.Sort(out)
	return out
}

// asPercent tells whether the unit is written by the pattern of percentages.
func (f *NumberFormat) asPercent() bool {
	return f.style == "unit" && f.unitName == "percent" && f.unitDisplay != "long" && f.notation != "compact"
}

// choosePattern finds the pattern for the style.
func (f *NumberFormat) choosePattern() {
	f.pattern = f.l.decimal
	switch {
	case f.style == "percent", f.asPercent():
		f.pattern = f.l.percent
	case f.style == "currency" && f.currencyDisplay != "name":
		key := "currency/standard"
		if f.accounting {
			key = "currency/accounting"
		}
		text := f.l.get(key)
		if own, ok := f.l.texts.Get("money/" + f.currency + "/pattern"); ok {
			text = own
		}
		f.pattern = f.l.pattern(text)
	}
}

func (r *reader) money(f *NumberFormat) {
	code, given := r.o["currency"]
	f.currencyDisplay = r.text("currencyDisplay", "symbol", "symbol", "narrowSymbol", "code", "name")
	f.accounting = r.text("currencySign", "standard", "standard", "accounting") == "accounting"
	if !given {
		if f.style == "currency" {
			r.fail(typeError("Currency code is required with currency style."))
		}
		return
	}
	f.currency = strings.ToUpper(toString(code))
	if len(f.currency) != 3 || strings.Trim(f.currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		r.fail(rangeError("Invalid currency code : %s", toString(code)))
	}
}

func (r *reader) units(f *NumberFormat) {
	name, given := r.o["unit"]
	f.unitDisplay = r.text("unitDisplay", "short", "short", "narrow", "long")
	if !given {
		if f.style == "unit" {
			r.fail(typeError("Required option \"unit\" must not be undefined"))
		}
		return
	}
	f.unitName = toString(name)
	a, b, compound := strings.Cut(f.unitName, "-per-")
	if !slices.Contains(simpleUnits, a) || compound && !slices.Contains(simpleUnits, b) {
		r.fail(rangeError("Invalid unit argument for Intl.NumberFormat() '%s'", f.unitName))
	}
}

var simpleUnits = []string{
	"acre", "bit", "byte", "celsius", "centimeter", "day", "degree", "fahrenheit", "fluid-ounce", "foot", "gallon", "gigabit", "gigabyte", "gram",
	"hectare", "hour", "inch", "kilobit", "kilobyte", "kilogram", "kilometer", "liter", "megabit", "megabyte", "meter", "microsecond", "mile",
	"mile-scandinavian", "milliliter", "millimeter", "millisecond", "minute", "month", "nanosecond", "ounce", "percent", "petabyte", "pound",
	"second", "stone", "terabit", "terabyte", "week", "yard", "year",
}

func (r *reader) group(compact bool) string {
	fallback := "auto"
	if compact {
		fallback = "min2"
	}
	switch v := r.o["useGrouping"].(type) {
	case nil:
		return fallback
	case bool:
		if v {
			return "always"
		}
		return ""
	default:
		switch s := toString(v); s {
		case "true", "false":
			return fallback
		case "", "0":
			return ""
		default:
			return r.text("useGrouping", fallback, "min2", "auto", "always")
		}
	}
}

// Resolved is what resolvedOptions gives.
func (f *NumberFormat) Resolved() []Entry {
	out := []Entry{{"locale", f.locale}, {"numberingSystem", "latn"}, {"style", f.style}}
	switch f.style {
	case "currency":
		sign := "standard"
		if f.accounting && f.sign != "never" { // as V8 has it
			sign = "accounting"
		}
		out = append(out, Entry{"currency", f.currency}, Entry{"currencyDisplay", f.currencyDisplay}, Entry{"currencySign", sign})
	case "unit":
		out = append(out, Entry{"unit", f.unitName}, Entry{"unitDisplay", f.unitDisplay})
	}
	out = append(out, f.digits.entries()...)
	var grouping any = f.grouping
	if f.grouping == "" {
		grouping = false
	}
	out = append(out, Entry{"useGrouping", grouping}, Entry{"notation", f.notation})
	if f.notation == "compact" {
		display := "short"
		if f.long {
			display = "long"
		}
		out = append(out, Entry{"compactDisplay", display})
	}
	out = append(out, Entry{"signDisplay", f.sign})
	return append(out, f.digits.roundingEntries()...)
}
