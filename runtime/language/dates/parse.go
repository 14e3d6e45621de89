package dates

import "math"

const none = math.MinInt

// reading is what was read so far.
type reading struct {
	days      []int
	monthName int
	standard  bool // it is in the standard's format

	times []int
	half  int

	sign, hours, minutes int // of the zone
}

// Parse gives the milliseconds since 1970 that a text names; NaN if it names none.
func Parse(text string) float64 {
	r := reading{monthName: none, half: none, sign: none, hours: none, minutes: none}
	s := scan(text)
	t, ok := r.iso(s)
	if !ok {
		return math.NaN()
	}
	read := len(r.days) > 0
	for ; t.kind != end; t = s.next() {
		switch {
		case t.kind == number:
			read = true
			ok = r.number(s, t)
		case t.kind == word:
			ok = r.word(s, t, read)
		case t.isSign() && (r.hours == 0 && r.minutes == 0 || len(r.times) > 0):
			read = true
			ok = r.offset(s, t)
		case t.isSign() || t.is(')'):
			ok = !read
		}
		if !ok {
			return math.NaN()
		}
	}
	return r.milliseconds()
}

// iso reads the standard's format: as far as it goes, and the first token that isn't of it.
func (r *reading) iso(s *scanner) (token, bool) {
	switch {
	case s.peek.isSign():
		sign := s.next()
		if !s.peek.digits(6) {
			return sign, true
		}
		year := s.next().value
		if sign.is('-') {
			if year == 0 {
				return sign, true
			}
			year = -year
		}
		r.days = append(r.days, year)
	case s.peek.digits(4):
		r.days = append(r.days, s.next().value)
	default:
		return s.next(), true
	}
	for _, most := range []int{12, 31} {
		if !s.skip('-') {
			break
		}
		if !s.peek.digits(2) || !s.peek.within(1, most) {
			return s.next(), true
		}
		r.days = append(r.days, s.next().value)
	}
	if s.peek.kind != word || s.peek.means != separator {
		if s.peek.kind != end {
			return s.next(), true
		}
	} else if s.next(); !r.isoTime(s) {
		return token{}, false
	}
	if r.hours == none && len(r.times) == 0 {
		r.setZone(0)
	}
	r.standard = true
	return token{}, true
}

func (r *reading) isoTime(s *scanner) bool {
	if !s.peek.digits(2) || !s.peek.within(0, 24) {
		return false
	}
	most := 59
	if s.peek.value == 24 {
		most = 0
	}
	r.times = append(r.times, s.next().value)
	if !s.peek.is(':') {
		return false
	}
	for len(r.times) < 3 && s.skip(':') {
		if !s.peek.digits(2) || !s.peek.within(0, most) {
			return false
		}
		r.times = append(r.times, s.next().value)
	}
	if len(r.times) == 3 && s.skip('.') {
		if s.peek.kind != number || most == 0 && s.peek.value > 0 {
			return false
		}
		r.times = append(r.times, thousandths(s.next()))
	}
	return r.isoZone(s) && s.peek.kind == end
}

func (r *reading) isoZone(s *scanner) bool {
	switch {
	case s.peek.isZ():
		s.next()
		r.setZone(0)
	case s.peek.isSign():
		r.setSign(s.next())
		if s.peek.digits(4) {
			n := s.next().value
			r.hours, r.minutes = n/100, n%100
			return r.hours <= 23 && r.minutes <= 59
		}
		if !s.peek.digits(2) || !s.peek.within(0, 23) {
			return false
		}
		r.hours = s.next().value
		if !s.skip(':') || !s.peek.digits(2) || !s.peek.within(0, 59) {
			return false
		}
		r.minutes = s.next().value
	}
	return true
}

func (r *reading) setZone(hours int) {
	r.sign, r.hours, r.minutes = 1, hours, 0
	if hours < 0 {
		r.sign, r.hours = -1, -hours
	}
}

func (r *reading) setSign(t token) {
	r.sign = 1
	if t.is('-') {
		r.sign = -1
	}
}

// number reads one that isn't in the standard's format.
func (r *reading) number(s *scanner, t token) bool {
	n := t.value
	switch {
	case s.skip(':'):
		if s.skip(':') {
			if len(r.times) > 0 {
				return false
			}
			r.times = append(r.times, n, 0)
			return true
		}
		if len(r.times) == 4 {
			return false
		}
		r.times = append(r.times, n)
		s.skip('.')
	case s.peek.is('.') && r.expects(n):
		s.next()
		r.times = append(r.times, n)
		if s.peek.kind != number {
			return false
		}
		r.finish(thousandths(s.next()))
	case r.hours != none && r.minutes == none && n <= 59:
		r.minutes = n
	case r.expects(n):
		r.finish(n)
		return s.peek.kind == end || s.peek.kind == space || s.peek.isZ() || s.peek.isSign()
	default:
		if len(r.days) == 3 {
			return false
		}
		r.days = append(r.days, n)
		s.skip('-')
	}
	return true
}

// expects tells whether a number can be the time's next part.
func (r *reading) expects(n int) bool {
	switch len(r.times) {
	case 1, 2:
		return n <= 59
	case 3:
		return n <= 999
	}
	return false
}

// finish adds the time's last part.
func (r *reading) finish(n int) {
	if len(r.times) < 4 {
		r.times = append(r.times, n)
	}
	for len(r.times) < 4 {
		r.times = append(r.times, 0)
	}
}

func (r *reading) word(s *scanner, t token, read bool) bool {
	switch {
	case t.means == half && len(r.times) > 0:
		r.half = t.value
	case t.means == month:
		r.monthName = t.value
		s.skip('-')
	case t.means == zone && read:
		r.setZone(t.value)
	default: // words may stand before the first number, but not close to it
		return !read && s.peek.kind != number
	}
	return true
}

// offset reads what comes after a sign.
func (r *reading) offset(s *scanner, t token) bool {
	r.setSign(t)
	n, length := 0, 0
	if s.peek.kind == number {
		next := s.next()
		n, length = next.value, next.length
	}
	switch {
	case s.peek.is(':'):
		r.hours, r.minutes = n, none
	case length == 1 || length == 2:
		r.hours, r.minutes = n, 0
	case length == 3 || length == 4:
		r.hours, r.minutes = n/100, n%100
	default:
		return false
	}
	return true
}

// thousandths is a fraction of a second.
func thousandths(t token) int {
	n := t.value
	switch t.length {
	case 1:
		return n * 100
	case 2:
		return n * 10
	}
	for length := min(t.length, significant); length > 3; length-- {
		n /= 10
	}
	return n
}

func (r *reading) milliseconds() float64 {
	year, month, day, ok := r.date()
	if !ok {
		return math.NaN()
	}
	for len(r.times) < 4 {
		r.times = append(r.times, 0)
	}
	hour, minute, second, thousandth := r.times[0], r.times[1], r.times[2], r.times[3]
	if r.half != none {
		if hour > 12 {
			return math.NaN()
		}
		hour = hour%12 + r.half
	}
	if (hour > 23 || minute > 59 || second > 59 || thousandth > 999) && (hour != 24 || minute+second+thousandth != 0) {
		return math.NaN()
	}
	out := float64(daysUntil(year, month)+day-1)*864e5 + float64(hour)*36e5 + float64(minute)*6e4 + float64(second)*1e3 + float64(thousandth)
	if r.sign != none {
		offset := 0
		if r.hours != none {
			offset = r.hours * 60
		}
		if r.minutes != none {
			offset += r.minutes
		}
		out -= float64(r.sign) * float64(offset) * 6e4
	}
	if math.Abs(out) > 8.64e15 {
		return math.NaN()
	}
	return out
}

// date finds out which number is the year.
func (r *reading) date() (year, month, day int, ok bool) {
	if len(r.days) == 0 {
		return 0, 0, 0, false
	}
	for len(r.days) < 3 {
		r.days = append(r.days, 1)
	}
	a, b, c := r.days[0], r.days[1], r.days[2]
	isDay := a >= 1 && a <= 31
	switch {
	case r.monthName == none && (r.standard || !isDay):
		year, month, day = a, b, c
	case r.monthName == none:
		month, day, year = a, b, c
	case !isDay:
		year, month, day = a, r.monthName, b
	default:
		day, month, year = a, r.monthName, b
	}
	if !r.standard {
		switch {
		case year >= 0 && year <= 49:
			year += 2000
		case year >= 50 && year <= 99:
			year += 1900
		}
	}
	return year, month, day, month >= 1 && month <= 12 && day >= 1 && day <= 31
}

// daysUntil counts them from 1970 to a month's first.
func daysUntil(year, month int) int {
	// Years begin in March, so that the leap day ends them.
	if month -= 2; month <= 0 {
		month += 12
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	ofEra := year - era*400
	return era*146097 + ofEra*365 + ofEra/4 - ofEra/100 + (153*(month-1)+2)/5 - 719468
}
