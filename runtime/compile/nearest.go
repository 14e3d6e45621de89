package compile

import "strings"

// nearest gives the name of a list that somebody who wrote another one may have meant; "" if there
// is none.
func nearest(name string, lists ...[]string) string {
	best, least := "", max(1, len(name)/3)
	for _, list := range lists {
		for _, other := range list {
			if strings.HasPrefix(other, "_") || other == name {
				continue
			}
			d := distance(strings.ToLower(name), strings.ToLower(other), least+1)
			if d < least || d == least && (best == "" || other < best) {
				best, least = other, d
			}
		}
	}
	return best
}

// distance counts the letters that are to be put in, left out, replaced or swapped with their
// neighbour to make b of a; most if it isn't less.
func distance(a, b string, most int) int {
	if len(a)-len(b) >= most || len(b)-len(a) >= most {
		return most
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(row[j]+1, last[j+1]+1, last[j]+cost)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return min(last[len(b)], most)
}
