package intl

import (
	"testing"
	"time"
)

func BenchmarkFormats(b *testing.B) {
	o := Options{"timeZone": "Europe/Berlin", "weekday": "long", "year": "numeric", "month": "long", "day": "numeric", "hour": "numeric", "minute": "2-digit"}
	money := Options{"style": "currency", "currency": "EUR"}
	at := time.UnixMilli(1_700_000_000_000)
	made, _ := NewDateTimeFormat("de", o, "any", "date")
	number, _ := NewNumberFormat("de", money)
	x := FromFloat(1234.5)
	for name, f := range map[string]func(){
		"make dates":   func() { _, _ = NewDateTimeFormat("de", o, "any", "date") },
		"date":         func() { made.Text(at) },
		"make numbers": func() { _, _ = NewNumberFormat("de", money) },
		"number":       func() { Text(number.Parts(x)) },
		"load":         func() { _, _ = loadLocale("de") },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f()
			}
		})
	}
}
