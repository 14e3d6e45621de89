package runtime

import "time"

// Suspicion is of a project whose JavaScript was under way when cells died.
type Suspicion struct {
	ProjectID string
	// Code is a hash of all its texts that ran; "" if that isn't known.
	Code string
	// Deaths are those in cells of all, Alone those in cells of its own.
	Deaths, Alone int
	Last          time.Time
	// Until is before when it isn't started; zero: it is.
	Until time.Time
	// Entry, Cause and Words are of the last death.
	Entry        Entry
	Cause, Words string

	// Unsaved says that it isn't written down.
	Unsaved bool
}

// QuarantineRules are what counts as too much.
type QuarantineRules struct {
	// Apart is how many deaths set a project apart, within Remembered.
	Apart      int
	Remembered time.Duration
	// FirstHold and MostHold are how long a project waits that ended its own cell.
	FirstHold, MostHold time.Duration
}
