package intl

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

//go:embed data.txt
var dataText string

type currency struct {
	digits                    int
	symbol, narrow, one, many string
}

// english is data.txt, by section; testdata/data.mjs says what is in a row.
type english struct {
	currencies map[string]currency
	// units, and compounds of two that have a name of their own: of one and of several, for each of unitDisplays.
	units map[string][]string
	// per is what follows an amount of something per unit, for each of unitDisplays.
	per map[string][]string
	// relative has a row by unit and style: of one and of several ahead, of one and of several past.
	relative map[string][]string
	// named has the text of a unit, a style and a number.
	named map[string]string
	// lists has a row by type and style: between two, at the start, within and at the end of more.
	lists map[string][]string
	// dates and times have templates by the letters of their fields; dated those of dates around a time, {t}.
	dates, dated, times map[string]string
	// periods has the part of the day of each hour, by width.
	periods map[string][]string
}

var unitDisplays = []string{"short", "narrow", "long"}

var data = sync.OnceValue(func() *english {
	e := &english{
		currencies: map[string]currency{}, units: map[string][]string{}, per: map[string][]string{},
		relative: map[string][]string{}, named: map[string]string{}, lists: map[string][]string{},
		dates: map[string]string{}, dated: map[string]string{}, times: map[string]string{}, periods: map[string][]string{},
	}
	section := ""
	for line := range strings.Lines(dataText) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			continue
		}
		if name, ok := strings.CutPrefix(line, "["); ok {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		e.add(section, strings.Split(line, "\t"))
	}
	return e
})

func (e *english) add(section string, row []string) {
	key, rest := row[0], row[1:]
	switch section {
	case "currency":
		digits, _ := strconv.Atoi(rest[0]) // a test reads the file
		e.currencies[key] = currency{digits, rest[1], rest[2], rest[3], rest[4]}
	case "unit", "compound":
		e.units[key] = rest
	case "per":
		e.per[key] = rest
	case "relative":
		e.relative[key+" "+rest[0]] = rest[1:]
	case "named":
		e.named[key+" "+rest[0]+" "+rest[1]] = rest[2]
	case "list":
		e.lists[key+" "+rest[0]] = rest[1:]
	case "date":
		e.dates[key], e.dated[key] = rest[0], rest[1]
	case "time":
		e.times[key] = rest[0]
	case "period":
		e.periods[key] = rest
	}
}
