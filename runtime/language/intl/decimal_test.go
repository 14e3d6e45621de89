package intl

import (
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestRoundingIsThatOfArithmetic(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	modes := []string{"ceil", "floor", "expand", "trunc", "halfCeil", "halfFloor", "halfTrunc", "halfEven", "halfExpand"}
	for range 200_000 {
		text := strconv.Itoa(random.IntN(2000))
		if random.IntN(2) == 0 { // ties are rare among long ones
			text = strconv.FormatUint(random.Uint64(), 10)
		}
		at := random.IntN(len(text) + 1)
		text = text[:at] + "." + text[at:] + strings.Repeat("0", random.IntN(3))
		if random.IntN(2) == 0 {
			text = "-" + text + "e" + strconv.Itoa(random.IntN(40)-20)
		}
		d, ok := FromText(text)
		if !ok {
			t.Fatalf("%s is no number", text)
		}
		places, increment, mode := random.IntN(30)-10, increments[random.IntN(len(increments))], modes[random.IntN(len(modes))]
		if got, want := d.round(places, increment, mode), d.roundBig(places, increment, mode); got != want {
			t.Fatalf("%s to %d places, a multiple of %d, %s: %+v, want %+v", text, places, increment, mode, got, want)
		}
	}
}

// A number of a million digits takes as long as its length asks for: by arithmetic it would take
// seconds, and a BigInt may be that long.
func BenchmarkMillionDigits(b *testing.B) {
	d, _ := FromText(strings.Repeat("9", 1<<20))
	for b.Loop() {
		d.round(3, 5, "halfEven")
	}
}

// roundBig is by arithmetic.
func (d Decimal) roundBig(places, increment int, mode string) rounded {
	n, ok := new(big.Int).SetString("0"+d.digits, 10)
	if !ok {
		n = new(big.Int)
	}
	shift := d.point - len(d.digits) + places // n × 10^shift is to become whole
	if d.digits == "" {
		shift = 0
	}
	unit := big.NewInt(int64(increment))
	if shift >= 0 {
		n.Mul(n, power(shift))
	} else {
		unit.Mul(unit, power(-shift))
	}
	q, rest := new(big.Int).QuoRem(n, unit, new(big.Int))
	if rest.Sign() != 0 && d.up(mode, rest.Lsh(rest, 1).Cmp(unit), q.Bit(0) == 1) {
		q.Add(q, big.NewInt(1))
	}
	text := q.Mul(q, big.NewInt(int64(increment))).String()
	r := rounded{magnitude: -places}
	if places <= 0 {
		r.whole = text
		if text != "0" {
			r.whole += strings.Repeat("0", -places)
		}
		return r
	}
	if len(text) <= places {
		text = strings.Repeat("0", places+1-len(text)) + text
	}
	r.whole, r.fraction = text[:len(text)-places], text[len(text)-places:]
	return r
}

func power(n int) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(n)), nil) }
